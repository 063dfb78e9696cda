/* The library is loaded, used and unloaded again and again: each time it works, and no thread or descriptor stays behind.
 * Usage: load_unload PATH_OF_LIBRARY */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <dlfcn.h>
#include <time.h>
#include "check.h"

typedef uint32_t abi_version_t(void);
typedef sipdlg_status_t agent_new_t(const sipdlg_config_t *, sipdlg_agent_t *);
typedef sipdlg_status_t agent_free_t(sipdlg_agent_t);
typedef sipdlg_status_t agent_listen_t(sipdlg_agent_t, const char *);
typedef sipdlg_status_t agent_start_t(sipdlg_agent_t, uint32_t, int32_t);

static int entries(const char *folder)
{
    DIR *open_folder = opendir(folder);
    int count = 0;
    if (open_folder == NULL)
        return -1;
    while (readdir(open_folder) != NULL)
        count++;
    closedir(open_folder);
    return count;
}

/* A thread that was joined may stand in /proc for a moment longer. */
static int threads_settled(int wanted)
{
    const struct timespec moment = { 0, 10000000 };
    int tries, count = entries("/proc/self/task");
    for (tries = 0; tries < 100 && count != wanted; tries++) {
        nanosleep(&moment, NULL);
        count = entries("/proc/self/task");
    }
    return count;
}

/* A function out of a shared object; C99 has no conversion from a data pointer to a function pointer. */
static void find(void *library, const char *name, void *function, size_t size)
{
    void *address = dlsym(library, name);
    if (!CHECK(address != NULL && size == sizeof address))
        exit(check_report("load_unload"));
    memcpy(function, &address, size);
}

static void once(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    abi_version_t *abi_version;
    agent_new_t *agent_new;
    agent_free_t *agent_free;
    agent_listen_t *agent_listen;
    agent_start_t *agent_start;
    sipdlg_agent_t agent = 0;
    if (!CHECK(library != NULL)) {
        printf("%s\n", dlerror());
        exit(check_report("load_unload"));
    }
    find(library, "sipdlg_abi_version", &abi_version, sizeof abi_version);
    find(library, "sipdlg_agent_new", &agent_new, sizeof agent_new);
    find(library, "sipdlg_agent_free", &agent_free, sizeof agent_free);
    find(library, "sipdlg_agent_listen", &agent_listen, sizeof agent_listen);
    find(library, "sipdlg_agent_start", &agent_start, sizeof agent_start);
    CHECK_NUMBER(abi_version(), SIPDLG_ABI_VERSION);
    CHECK_NUMBER(agent_new(NULL, &agent), SIPDLG_OK);
    CHECK_NUMBER(agent_listen(agent, "udp:127.0.0.1:0"), SIPDLG_OK);
    CHECK_NUMBER(agent_start(agent, 1, 1), SIPDLG_OK);
    CHECK_NUMBER(agent_free(agent), SIPDLG_OK);
    CHECK_NUMBER(agent_free(agent), SIPDLG_ERR_STALE);
    CHECK_NUMBER(dlclose(library), 0);
}

int main(int argc, char **argv)
{
    int round, threads, files;
    if (argc != 2)
        return 2;
    once(argv[1]);
    threads = entries("/proc/self/task");
    files = entries("/proc/self/fd");
    for (round = 0; round < 20; round++)
        once(argv[1]);
    CHECK_NUMBER(threads_settled(threads), threads);
    CHECK_NUMBER(entries("/proc/self/fd"), files);
    return check_report("load_unload");
}
