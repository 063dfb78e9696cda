//! The header is the contract: it is what the source says, every compiler takes it, and the library exports just that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// `include/sipdlg.h` is what cbindgen makes of `src/ffi`.
#[test]
#[cfg(feature = "header")]
fn the_committed_header_is_fresh() {
    let generated = fs::read_to_string(env!("SIPDLG_GENERATED_HEADER")).unwrap();
    let committed = fs::read_to_string("include/sipdlg.h").unwrap();
    if generated != committed {
        let (number, line) = generated
            .lines()
            .zip(committed.lines())
            .enumerate()
            .find(|(_, (generated, committed))| generated != committed)
            .map_or((0, ""), |(number, (generated, _))| (number + 1, generated));
        panic!("include/sipdlg.h is stale from line {number} on ({line:?}): run `make header`");
    }
}

#[test]
fn versions_agree() {
    let header = fs::read_to_string("include/sipdlg.h").unwrap();
    let number = |name: &str| {
        let line = header.lines().find_map(|line| line.strip_prefix(&format!("#define SIPDLG_{name} ")));
        line.unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    let version = ["VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH"].map(number).join(".");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert_eq!(number("ABI_VERSION"), sipdlg::ffi::library::sipdlg_abi_version().to_string());
}

const STRICT: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"];

fn compile(compiler: &str, standard: &str, source: &Path) {
    let output = Command::new(compiler)
        .arg(format!("-std={standard}"))
        .args(STRICT)
        .arg("-Iinclude")
        .arg(source)
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} -std={standard} {}:\n{said}", source.display());
}

/// Alone, twice, and with each macro used as a value and in an assignment.
#[test]
fn the_header_compiles_alone_and_twice() {
    let text = "#include \"sipdlg.h\"\n#include \"sipdlg.h\"\n\
        sipdlg_delegate_t delegate = SIPDLG_DELEGATE_INIT;\n\
        sipdlg_request_options_t request = SIPDLG_REQUEST_OPTIONS_INIT;\n\
        sipdlg_response_options_t response = SIPDLG_RESPONSE_OPTIONS_INIT;\n";
    for (compiler, suffix, standards) in
        [("cc", "c", ["c99", "c11", "c17"]), ("c++", "cc", ["c++11", "c++17", "c++20"])]
    {
        let source = scratch().join(format!("twice.{suffix}"));
        fs::write(&source, text).unwrap();
        for standard in standards {
            compile(compiler, standard, &source);
        }
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn layouts_and_numbers_are_those_of_the_contract() {
    compile("cc", "c11", Path::new("tests/abi/layout.c"));
}

/// What the C compiler asserts of sizes, Rust's says too.
#[test]
#[cfg(target_pointer_width = "64")]
fn rust_has_the_same_sizes() {
    use sipdlg::ffi::structs::*;
    macro_rules! sizes {
        ($($name:ident)*) => {
            [$(format!("SIZE({}, {})", stringify!($name), size_of::<$name>())),*]
        };
    }
    let ours = sizes! {
        sipdlg_str_t
        sipdlg_body_t
        sipdlg_body_view_t
        sipdlg_endpoint_t
        sipdlg_flow_t
        sipdlg_event_t
        sipdlg_delegate_t
        sipdlg_credentials_t
        sipdlg_session_timer_t
        sipdlg_request_options_t
        sipdlg_response_options_t
        sipdlg_transmit_t
        sipdlg_stats_t sipdlg_tls_t sipdlg_register_t sipdlg_registered_t
        sipdlg_name_addr_t
        sipdlg_via_t
        sipdlg_dialog_state_t
        sipdlg_explain_entry_t
        sipdlg_trace_entry_t
    };
    let table = fs::read_to_string("tests/abi/layout.c").unwrap();
    let asserted: Vec<&str> = table.lines().filter(|line| line.starts_with("SIZE(")).collect();
    assert_eq!(asserted, ours);
}

/// Every export is a function of the header that begins with `sipdlg_`, and stands in `tests/abi/symbols.txt`.
#[test]
#[cfg(target_os = "linux")]
fn the_library_exports_what_the_list_says() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().expect("nm");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let listed = fs::read_to_string("tests/abi/symbols.txt").unwrap();
    let sorted = exported.iter().map(|name| format!("{name}\n")).collect::<String>();
    if env::var_os("SIPDLG_UPDATE_SYMBOLS").is_some() {
        fs::write("tests/abi/symbols.txt", &sorted).unwrap();
    } else {
        let listed: BTreeSet<&str> = listed.lines().collect();
        let missing: Vec<_> = listed.difference(&exported).collect();
        let new: Vec<_> = exported.difference(&listed).collect();
        assert!(
            missing.is_empty() && new.is_empty(),
            "tests/abi/symbols.txt: not exported {missing:?}, not listed {new:?}; \
             SIPDLG_UPDATE_SYMBOLS=1 cargo test --test abi_header takes them over"
        );
    }
    let header = fs::read_to_string("include/sipdlg.h").unwrap();
    for name in &exported {
        assert!(name.starts_with("sipdlg_"), "{name}");
        assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
    }
}

/// Every function is used by a C test that runs (`tests/c`), not only called wrongly by the generated misuse.
#[test]
fn each_function_is_used_by_a_c_test() {
    let mut used = BTreeSet::new();
    for entry in fs::read_dir("tests/c").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c") {
            used.extend(words(&fs::read_to_string(&path).unwrap()));
        }
    }
    let listed = fs::read_to_string("tests/abi/symbols.txt").unwrap();
    let unused: Vec<_> = listed.lines().filter(|name| !used.contains(*name)).collect();
    assert_eq!(unused, Vec::<&str>::new(), "no program in tests/c uses them");
}

/// The words of a C source outside its comments.
fn words(source: &str) -> BTreeSet<String> {
    let mut code = String::new();
    let mut rest = source;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map(str::to_owned).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_has_its_name_and_stays_mapped() {
    let output = Command::new("readelf").args(["-d", "-W"]).arg(library()).output().expect("readelf");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[libsipdlg.so.0]"), "{text}");
    assert!(text.contains("NODELETE"), "{text}");
}

/// The shared library that cargo built for this test run.
fn library() -> PathBuf {
    let library = env::current_exe().unwrap().with_file_name("libsipdlg.so");
    assert!(library.exists(), "{} is missing: cargo build", library.display());
    library
}

fn scratch() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("abi_header");
    fs::create_dir_all(&folder).unwrap();
    folder
}
