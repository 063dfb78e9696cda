/* A certificate of localhost and 127.0.0.1 that signs itself, and its key. For tests: everybody has the key. */
#ifndef PAPERS_H
#define PAPERS_H

#define PAPERS_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIBqzCCAVGgAwIBAgIUNHWIaCO7aCHAaiLTQqp3FZAapDUwCgYIKoZIzj0EAwIw\n" \
    "FjEUMBIGA1UEAwwLc2lwZGxnIHRlc3QwIBcNMjYxMTI5MTAzMjQ0WhgPMjEyNjEx\n" \
    "MDUxMDMyNDRaMBYxFDASBgNVBAMMC3NpcGRsZyB0ZXN0MFkwEwYHKoZIzj0CAQYI\n" \
    "KoZIzj0DAQcDQgAEggKabN1BKs+M7keHA0DFRFczWc2tv/D4m6zFMjaKUsmCX+wL\n" \
    "JIfotOHKg+ZA3GwWE+ARJhKqnzgRpyqp4S2vs6N7MHkwHQYDVR0OBBYEFM6VohQC\n" \
    "hkmizCJnWEoAUK9E5jk9MB8GA1UdIwQYMBaAFM6VohQChkmizCJnWEoAUK9E5jk9\n" \
    "MAwGA1UdEwEB/wQCMAAwKQYDVR0RBCIwIIIJbG9jYWxob3N0hg1zaXA6bG9jYWxo\n" \
    "b3N0hwR/AAABMAoGCCqGSM49BAMCA0gAMEUCICNYQvuSd0UqDXXE1Xu/UZevCWre\n" \
    "yfeCsHImDeVW/iujAiEAySrgr14c4pJ0eVq6dcMjUvDtykh3K8LWVpkqlqjTOO4=\n" \
    "-----END CERTIFICATE-----\n"

#define PAPERS_KEY \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK2+UHtCpZGIKgZq2\n" \
    "JB0KfQJhhEqaUbKLs+q+tbmnTOChRANCAASCApps3UEqz4zuR4cDQMVEVzNZza2/\n" \
    "8PibrMUyNopSyYJf7Askh+i04cqD5kDcbBYT4BEmEqqfOBGnKqnhLa+z\n" \
    "-----END PRIVATE KEY-----\n"

#endif
