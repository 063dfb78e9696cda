//! Every function of the header is called as it should not be. The calls are made from the header's own prototypes, so
//! that no function can be forgotten: NULL for each pointer, tokens that are stale, of another kind or none, structs of
//! other sizes, numbers out of range, from inside a callback, from two threads at once.
//!
//! What the program runs under and is compiled with comes from outside:
//!
//! ```sh
//! SIPDLG_RUNNER="valgrind -q --leak-check=full --error-exitcode=9" cargo test --test abi_misuse
//! SIPDLG_CFLAGS="-fsanitize=address" cargo test --test abi_misuse
//! ```

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// How a parameter is filled.
enum Argument {
    /// A token; the field of the world that holds a living one.
    Token(&'static str),
    /// A struct that begins with `size` and is read, with its type.
    Reads(String),
    /// A struct that begins with `size` and is filled, with its type.
    Fills(String),
    /// Any other pointer, and the expression of a good one.
    Pointer(String),
    /// A number: a good one, and one that must be refused.
    Number(&'static str, Option<&'static str>),
}

struct Function {
    result: String,
    name: String,
    arguments: Vec<Argument>,
}

/// Good and bad values of the parameters that are numbers, by name. A new name wants a decision here.
const NUMBERS: [(&str, &str, Option<&str>); 64] = [
    ("status", "-4", None),
    ("status_code", "0", Some("-1")),
    ("capacity", "sizeof w->buffer", None),
    ("len", "LENGTH", None),
    ("count", "1", None),
    ("index", "0", None),
    ("t1_ms", "500", None),
    ("t2_ms", "0", None),
    ("t4_ms", "0", None),
    ("invite_ms", "0", None),
    ("other_ms", "0", None),
    ("message_bytes", "0", None),
    ("sessions", "0", None),
    ("transactions", "0", None),
    ("total_bytes", "0", Some("1")),
    ("per_address_bytes", "0", Some("1")),
    ("calls", "0", Some("4194304")),
    ("unanswered", "0", Some("4194304")),
    ("address_requests", "1", Some("1000001")),
    ("address_burst", "0", Some("1000001")),
    ("connections", "0", Some("1048577")),
    ("address_connections", "0", None),
    ("idle_s", "-1", Some("-2")),
    ("connect_ms", "0", None),
    ("wait_ms", "0", Some("3600001")),
    ("by_name", "1", Some("2")),
    ("most", "1300", Some("547")),
    ("own", "0", Some("2")),
    ("peers", "0", Some("2")),
    ("dscp", "40", Some("64")),
    ("priority", "5", Some("7")),
    ("every_s", "30", Some("86401")),
    ("failures", "3", None),
    ("base_s", "0", None),
    ("most_s", "0", None),
    ("policy", "0", Some("3")),
    ("manual_prack", "0", Some("2")),
    ("interval_s", "300", Some("89")),
    ("min_se_s", "0", Some("89")),
    ("quirks", "0", Some("1024")),
    ("seed", "1", None),
    ("on", "1", Some("2")),
    ("level", "4", Some("5")),
    ("link", "2", None),
    ("monotonic_us", "1", None),
    ("unix_us", "1", None),
    ("id", "1", None),
    ("query", "1", None),
    ("timeout_ms", "0", Some("-2")),
    ("workers", "1", None),
    ("deliver", "1", Some("2")),
    ("is_ha1", "0", Some("2")),
    ("effect", "0", Some("3")),
    ("refresher", "0", Some("3")),
    ("received", "0", Some("2")),
    ("verify", "1", Some("2")),
    ("format", "0", Some("2")),
    ("cseq_headroom", "1", None),
    ("kinds", "3", Some("4")),
    ("entries", "0", None),
    ("bytes", "0", None),
    ("ping_s", "0", Some("-2")),
    ("redact", "7", Some("8")),
    ("capture_id", "1", None),
];

/// Text for the parameters that want some of a kind.
const TEXTS: [(&str, &str); 14] = [
    ("addresses", "127.0.0.1:5353"),
    ("path", "/dev/null"),
    ("target", "sip:carol@192.0.2.3:5060"),
    ("method", "OPTIONS"),
    ("algorithm", "MD5"),
    ("algorithms", "MD5"),
    ("address", "udp:127.0.0.1:0"),
    ("text", "192.0.2.1:5060"),
    ("name", "Via"),
    ("name_addr", "sip:alice@example.com"),
    ("algorithm", "SHA-256"),
    ("routes", "<sip:proxy.example;lr>"),
    ("registrar", "sip:example.com"),
    ("interface", "lo"),
];

/// Tokens that need not be good, by function and position: `previous` may have ended.
const LENIENT: [(&str, usize); 1] = [("sipdlg_agent_next_session", 1)];

/// Tokens that may be 0, by function and position: a session of a foreign dialog has no INVITE,
/// a blind transfer replaces none.
const OPTIONAL: [(&str, usize); 2] = [("sipdlg_session_new", 1), ("sipdlg_session_refer", 2)];

/// Functions that take away what the world owns: what is called instead when they are to succeed.
const OWNERS: [(&str, &str); 4] = [
    ("sipdlg_config_new", "(sipdlg_config_free(sipdlg_config_new()), 0)"),
    ("sipdlg_config_free", "(sipdlg_config_free(sipdlg_config_new()), 0)"),
    ("sipdlg_message_retain", "(sipdlg_message_retain(w->message), sipdlg_message_release(w->message), 0)"),
    ("sipdlg_message_release", "(sipdlg_message_retain(w->message), sipdlg_message_release(w->message), 0)"),
];

/// Functions of the built-in network, which want the system's clock.
const SYSTEM_CLOCK: [&str; 3] = ["sipdlg_agent_run_once", "sipdlg_agent_start", "sipdlg_agent_stop"];

fn argument(kind: &str, name: &str) -> Argument {
    let sized = [
        "event",
        "delegate",
        "request_options",
        "response_options",
        "transmit",
        "stats",
        "dialog_state",
        "explain_entry",
        "trace_entry",
        "tls",
        "register",
        "registered",
    ];
    let is_sized = |kind: &str| {
        sized.iter().find(|sized| kind == format!("sipdlg_{sized}_t *")).map(|sized| format!("sipdlg_{sized}_t"))
    };
    match kind {
        "sipdlg_agent_t" => return Argument::Token("agent"),
        "sipdlg_session_t" => return Argument::Token("session"),
        "sipdlg_incoming_t" => return Argument::Token("incoming"),
        "sipdlg_outgoing_t" => return Argument::Token("outgoing"),
        _ => {}
    }
    // Excludes the INVITE, which the world has.
    if kind == "const sipdlg_dialog_state_t *" {
        return Argument::Pointer("NULL".to_owned());
    }
    if let Some(sized) = kind.strip_prefix("const ").and_then(is_sized) {
        return Argument::Reads(sized);
    }
    if let Some(sized) = is_sized(kind) {
        return Argument::Fills(sized);
    }
    let good = match kind {
        "const char *" => {
            let text = TEXTS.iter().find(|(known, _)| *known == name).map_or("x", |(_, text)| text);
            format!("\"{text}\"")
        }
        "const char *const *" => "(const char *const *)contacts".to_owned(),
        "const void *" if name == "sockaddr" => "sip_invite".to_owned(),
        "const void *" => "sip_invite".to_owned(),
        "char *" | "void *" if name == "buffer" || name == "sockaddr" => "w->buffer".to_owned(),
        "void *" => "w".to_owned(),
        "sipdlg_release_t" => "nothing".to_owned(),
        "sipdlg_log_t" => "nobody_listens".to_owned(),
        "sipdlg_trace_t" => "nobody_looks".to_owned(),
        "sipdlg_config_t *" | "const sipdlg_config_t *" => "w->config".to_owned(),
        "const sipdlg_message_t *" => "w->message".to_owned(),
        "const sipdlg_message_t **" => "&w->given".to_owned(),
        "const sipdlg_flow_t *" => "&w->flow".to_owned(),
        "const sipdlg_endpoint_t *" => "&w->endpoint".to_owned(),
        "const sipdlg_body_t *" => "&(sipdlg_body_t){ \"v=0\", 3, NULL, NULL }".to_owned(),
        "sipdlg_agent_t *" => "&w->made".to_owned(),
        kind if kind.ends_with('*') && !kind.starts_with("const ") => format!("({kind})w->out"),
        kind => {
            let number = NUMBERS.iter().find(|(known, ..)| *known == name);
            let (_, good, bad) = number.unwrap_or_else(|| panic!("{kind} {name}: say in NUMBERS what is good and bad"));
            return Argument::Number(good, *bad);
        }
    };
    Argument::Pointer(good)
}

impl Argument {
    fn good(&self) -> String {
        match self {
            Self::Token(field) => format!("w->{field}"),
            Self::Reads(kind) if kind == "sipdlg_event_t" => "&w->event".to_owned(),
            Self::Reads(kind) | Self::Fills(kind) => format!("({kind} *)piece(w, sizeof({kind}), 0)"),
            Self::Pointer(good) => good.clone(),
            Self::Number(good, _) => (*good).to_owned(),
        }
    }
}

impl Function {
    /// The call as an expression of type `int64_t`, with other arguments at some places.
    fn call(&self, other: impl Fn(usize, &Argument) -> Option<String>) -> String {
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .enumerate()
            .map(|(at, argument)| other(at, argument).unwrap_or_else(|| argument.good()))
            .collect();
        let length =
            if arguments.iter().any(|argument| argument == "sip_invite") { "sizeof sip_invite - 1" } else { "0" };
        let call = format!("{}({})", self.name, arguments.join(", ")).replace("LENGTH", length);
        match self.result.as_str() {
            "void" => format!("({call}, (int64_t)0)"),
            result if result.ends_with('*') => format!("(int64_t)(intptr_t){call}"),
            _ => format!("(int64_t){call}"),
        }
    }

    fn with(&self, place: usize, value: &str) -> String {
        self.call(|at, _| (at == place).then(|| value.to_owned()))
    }

    fn good(&self) -> String {
        OWNERS
            .iter()
            .find(|(name, _)| *name == self.name)
            .map_or_else(|| self.call(|_, _| None), |(_, call)| (*call).to_owned())
    }

    fn is_pointer(&self) -> bool {
        self.result.ends_with('*')
    }

    /// All misuses of one call.
    fn misuses(&self, code: &mut String) {
        let mut check = |what: &str, expected: &str, call: String| {
            let name = &self.name;
            writeln!(code, "    TRY(\"{name}\", \"{what}\", {expected}, {call});").unwrap();
        };
        // Text for people and pointers of a version are no statuses.
        let any = "ANY";
        let Some(first) = self.arguments.first().map(Argument::good) else { return };
        let all_null = self.call(|_, argument| match argument {
            Argument::Token(_) => None,
            Argument::Number(..) => Some("0".to_owned()),
            _ => Some("NULL".to_owned()),
        });
        let needs_first = matches!(first.as_str(), "w->config" | "w->message")
            && self.result != "void"
            && self.name != "sipdlg_agent_new";
        check("NULL everywhere", if needs_first { "SIPDLG_ERR_ARGUMENT" } else { any }, all_null);
        for (at, argument) in self.arguments.iter().enumerate() {
            match argument {
                Argument::Token(field) if !LENIENT.contains(&(&self.name, at)) => {
                    let (old, kind, bad) = if self.is_pointer() {
                        ("IS_NULL", "IS_NULL", "IS_NULL")
                    } else {
                        ("SIPDLG_ERR_STALE", "SIPDLG_ERR_KIND", "BAD_TOKEN")
                    };
                    check(&format!("stale {field}"), old, self.with(at, &format!("stale.{field}")));
                    for other in ["agent", "session", "incoming", "outgoing"] {
                        if other != *field {
                            let what = format!("{other} as {field}");
                            check(&what, kind, self.with(at, &format!("w->{other}")));
                        }
                    }
                    for garbage in ["0", "1", "UINT64_MAX", "0x5555555555555555u", "0x8000000000000001u"] {
                        if garbage != "0" || !OPTIONAL.contains(&(&self.name, at)) {
                            check(&format!("{field} {garbage}"), bad, self.with(at, garbage));
                        }
                    }
                }
                Argument::Token(field) => check("stale, and fine", any, self.with(at, &format!("stale.{field}"))),
                Argument::Reads(kind) | Argument::Fills(kind) => {
                    check("NULL", any, self.with(at, "NULL"));
                    let piece = |size: &str, tail: u8| self.with(at, &format!("({kind} *)piece(w, {size}, {tail})"));
                    for size in ["0", "4", "12", "65536", "SIZE_MAX"] {
                        check(&format!("{kind} of size {size}"), "SIPDLG_ERR_STRUCT", piece(size, 0));
                    }
                    check("short struct", "NOT_STRUCT", piece("8", 0));
                    check("long struct", "NOT_STRUCT", piece(&format!("sizeof({kind}) + 64"), 0));
                    if matches!(argument, Argument::Reads(_)) {
                        check("unknown tail", "SIPDLG_ERR_STRUCT", piece(&format!("sizeof({kind}) + 64"), 1));
                    }
                }
                Argument::Pointer(_) => check("NULL", any, self.with(at, "NULL")),
                Argument::Number(_, Some(bad)) => {
                    let absent = !cfg!(feature = "runtime") && SYSTEM_CLOCK.contains(&self.name.as_str());
                    let expected = if absent { "SIPDLG_ERR_UNSUPPORTED" } else { "SIPDLG_ERR_ARGUMENT" };
                    check(&format!("the number {bad}"), expected, self.with(at, bad));
                }
                Argument::Number(..) => {}
            }
        }
    }
}

/// The functions that the header declares.
fn prototypes() -> Vec<Function> {
    let header = fs::read_to_string("include/sipdlg.h").unwrap();
    let mut text = String::new();
    let mut rest = header.split("extern \"C\" {").nth(1).unwrap();
    while let Some((code, comment)) = rest.split_once("/*") {
        text.push_str(code);
        rest = comment.split_once("*/").unwrap().1;
    }
    let lines = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    let mut functions = Vec::new();
    for prototype in lines.split(';') {
        let Some((head, arguments)) = prototype.trim().strip_suffix(')').and_then(|text| text.split_once('(')) else {
            continue;
        };
        let at = head.rfind([' ', '*']).unwrap() + 1;
        let (result, name) = (head[..at].trim().to_owned(), head[at..].to_owned());
        let parameters = arguments.split(',').map(str::trim).filter(|parameter| *parameter != "void");
        let arguments = parameters
            .map(|parameter| {
                let at = parameter.rfind([' ', '*']).unwrap() + 1;
                argument(parameter[..at].trim(), &parameter[at..])
            })
            .collect();
        functions.push(Function { result, name, arguments });
    }
    functions
}

fn program(functions: &[Function]) -> String {
    let mut code = String::from("#include \"misuse.h\"\n\n");
    code.push_str("static const char *const contacts[] = { \"sip:dave@192.0.2.4\", NULL };\n\n");
    for function in functions {
        let name = &function.name;
        let good = function.good();
        writeln!(code, "static int64_t good_{name}(struct world *w)\n{{\n    int64_t got = {good};").unwrap();
        // What is no status must not look like a defect.
        let value = if function.is_pointer() { "got != 0" } else { "got" };
        writeln!(code, "    world_drop(w);\n    (void)contacts;\n    return {value};\n}}\n").unwrap();
    }
    for function in functions {
        let name = &function.name;
        writeln!(code, "static void misuse_{name}(void)\n{{").unwrap();
        writeln!(code, "    system_clock = {};", i32::from(SYSTEM_CLOCK.contains(&name.as_str()))).unwrap();
        function.misuses(&mut code);
        writeln!(code, "    from_a_callback(good_{name});\n    from_two_threads(good_{name});\n}}\n").unwrap();
    }
    code.push_str("int main(void)\n{\n    world_open(&stale, NULL);\n    world_close(&stale);\n");
    for function in functions {
        writeln!(code, "    misuse_{}();", function.name).unwrap();
    }
    code.push_str("    printf(\"%d calls, %d failures\\n\", calls, failures);\n    return failures != 0;\n}\n");
    code
}

#[test]
#[cfg(target_os = "linux")]
fn no_misuse_does_harm() {
    let functions = prototypes();
    let listed = fs::read_to_string("tests/abi/symbols.txt").unwrap();
    for symbol in listed.lines() {
        assert!(functions.iter().any(|function| function.name == symbol), "{symbol} has no prototype");
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("abi_misuse");
    fs::create_dir_all(&folder).unwrap();
    let (source, executable) = (folder.join("misuse.c"), folder.join("misuse"));
    fs::write(&source, program(&functions)).unwrap();
    let libraries = env::current_exe().unwrap().parent().unwrap().to_owned();
    // The name by which the library wants to be found.
    let soname = folder.join("libsipdlg.so.0");
    let _ = fs::remove_file(&soname);
    std::os::unix::fs::symlink(libraries.join("libsipdlg.so"), &soname).unwrap();
    let words =
        |name: &str| env::var(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let output = Command::new("cc")
        .args([
            "-std=c11",
            "-g",
            "-O0",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-unused-function",
            "-Iinclude",
            "-Itests/abi",
        ])
        .args(words("SIPDLG_CFLAGS"))
        .arg(&source)
        .arg("-o")
        .arg(&executable)
        .arg(&soname)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-pthread")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = words("SIPDLG_RUNNER");
    command.push(executable.display().to_string());
    let output = Command::new(&command[0]).args(&command[1..]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}
