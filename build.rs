//! Link arguments of the shared library; and with the feature `header` the C header, made by cbindgen.
//!
//! The header goes to OUT_DIR only, where tests/abi_header.rs compares it with include/sipdlg.h. To take it over:
//!
//! ```sh
//! SIPDLG_HEADER_OUT=include/sipdlg.h cargo build      # this is `make header`
//! ```

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SIPDLG_HEADER_OUT");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsipdlg.so.0");
        // Thread-local destructors of the Rust library must never be unmapped (rust-lang/rust issues 59629, 91979).
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    #[cfg(feature = "header")]
    header::make();
}

#[cfg(feature = "header")]
mod header {
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    pub fn make() {
        for path in ["cbindgen.toml", "include/sipdlg.h", "src/ffi"] {
            println!("cargo:rerun-if-changed={path}");
        }
        let config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml");
        let root = Path::new("src/ffi/mod.rs");
        let mut text = Vec::new();
        // Given the crate instead of the file, cbindgen would ask cargo for all dependencies first.
        match cbindgen::Builder::new().with_config(config).with_src(root).generate() {
            Ok(bindings) => bindings.write(&mut text),
            Err(error) => {
                // The compiler says better what is wrong with the source.
                println!("cargo:warning=no C header: {error}");
                return;
            }
        };
        let mut text = tidy(&String::from_utf8(text).expect("cbindgen writes UTF-8"));
        for section in modules(root) {
            insert_banner(&mut text, &section);
        }
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("OUT_DIR")).join("sipdlg.h");
        fs::write(&out, &text).expect("OUT_DIR is writable");
        println!("cargo:rustc-env=SIPDLG_GENERATED_HEADER={}", out.display());
        if let Some(copy) = env::var_os("SIPDLG_HEADER_OUT") {
            fs::write(copy, &text).expect("SIPDLG_HEADER_OUT is writable");
        } else if !fs::read("include/sipdlg.h").is_ok_and(|committed| committed == text.as_bytes()) {
            println!("cargo:warning=include/sipdlg.h is stale: run `make header`");
        }
    }

    /// The files of the public modules that `file` declares, in that order.
    fn modules(file: &Path) -> Vec<PathBuf> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let folder = if file.ends_with("mod.rs") { file.with_file_name("") } else { file.with_extension("") };
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'));
        names
            .map(|name| {
                let flat = folder.join(name).with_extension("rs");
                if flat.exists() { flat } else { folder.join(name).join("mod.rs") }
            })
            .collect()
    }

    /// A module file and those of its modules.
    fn sources(file: &Path) -> Vec<PathBuf> {
        let nested = modules(file).into_iter().flat_map(|file| sources(&file));
        std::iter::once(file.to_owned()).chain(nested).collect()
    }

    /// A comment of one line stands on one line, no two empty lines follow each other, and our structs are named
    /// without `struct`, since each has its typedef.
    fn tidy(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let comment = match lines.get(at..at + 3) {
                Some([open, middle, close]) if open.trim() == "/**" && close.trim() == "*/" => {
                    middle.trim().strip_prefix("* ").map(|text| format!("{}/** {text} */", open.replace("/**", "")))
                }
                _ => None,
            };
            match comment {
                Some(comment) => {
                    out.push_str(&comment);
                    at += 3;
                }
                None if line.is_empty() && (out.is_empty() || out.ends_with("\n\n")) => {
                    at += 1;
                    continue;
                }
                None if line.starts_with("typedef struct ") => {
                    out.push_str(line);
                    at += 1;
                }
                None => {
                    out.push_str(&line.replace("struct sipdlg_", "sipdlg_"));
                    at += 1;
                }
            }
            out.push('\n');
        }
        out
    }

    /// Puts a section's name and what its module says after "In the header:" before its first function.
    fn insert_banner(text: &mut String, file: &Path) {
        let name = if file.ends_with("mod.rs") { file.parent() } else { Some(file) }.and_then(Path::file_stem);
        let Some(name) = name.and_then(|name| name.to_str()) else { return };
        let code: String = sources(file).iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
        let Some(function) = code.split("extern \"C\" fn ").nth(1).and_then(|rest| rest.split('(').next()) else {
            return;
        };
        // A comment may name the function before.
        let Some(prototype) = text.lines().find(|line| !line.starts_with([' ', '/']) && names(line, function)) else {
            return;
        };
        let Some(line) = text.find(&format!("\n{prototype}\n")) else { return };
        // An empty line ends the item before.
        let start = text.get(..line).and_then(|before| before.rfind("\n\n")).map_or(line, |at| at + 2);
        let notes = code
            .lines()
            .skip_while(|line| line.trim() != "//! In the header:")
            .skip(1)
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| format!("\n *{line}"))
            .collect::<String>();
        let bars = "=".repeat(64);
        text.insert_str(start, &format!("/* {bars} {name}{notes}{} */\n\n", if notes.is_empty() { "" } else { "\n" }));
    }

    /// Whether `function` stands in the line, as a whole name before its parenthesis.
    fn names(line: &str, function: &str) -> bool {
        line.split_once('(').is_some_and(|(head, _)| head.rsplit([' ', '*']).next() == Some(function))
    }
}
