//! The house has floors (CONTRIBUTING.md): none names an upper one, and below the runtime nothing reaches out.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the map in CONTRIBUTING.md from top to bottom; the modules of one row may use each other.
const FLOORS: &str = "ffi; capture; runtime; agent; session; dialog; transaction; config; message; \
                      timer, time, slots, held, attachment, hash, random, flow, shrink, error";
/// Beside each other, though the map has an order: neither may name the other.
const BESIDE: [&str; 2] = ["dialog", "transaction"];
/// Sockets, threads, clocks, the environment, globals, and what the compiler cannot check.
const REACHES_OUT: &str = "UdpSocket,TcpStream,TcpListener,std::thread,thread::,Instant,SystemTime,std::env,env::,\
                           thread_local!,OnceLock,LazyLock,static mut,unsafe ,unsafe(";

fn row(floor: &str) -> Option<usize> {
    FLOORS.split("; ").position(|row| row.split(", ").any(|name| name == floor))
}

/// Calls `check` with path, floor and text of all in `src` but `lib.rs`.
fn each_source(check: &mut dyn FnMut(&Path, &str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![root.clone()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let inner: PathBuf = path.strip_prefix(&root).unwrap().with_extension("");
        let floor = inner.iter().next().unwrap().to_str().unwrap();
        if floor != "lib" {
            check(&path, floor, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The first names of all paths from `crate`, or from `super` that may climb as far, in braces too; with their places.
fn named(text: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut add = |at: usize| {
        let name = text[at..].trim_start();
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        names.push((text.len() - name.len(), &name[..end]));
    };
    for at in
        ["crate::", "super::"].iter().flat_map(|start| text.match_indices(start)).map(|(at, start)| at + start.len())
    {
        add(at);
        let mut depth = 0;
        for (offset, byte) in text.bytes().enumerate().skip(at) {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            if depth == 0 {
                break;
            }
            if depth == 1 && matches!(byte, b'{' | b',') {
                add(offset + 1);
            }
        }
    }
    names
}

#[test]
fn no_floor_names_an_upper_one() {
    let mut faults = String::new();
    each_source(&mut |path, floor, text| {
        let own = row(floor).unwrap_or_else(|| panic!("{floor} stands in no row of the map"));
        for (at, other) in named(text) {
            let beside = floor != other && BESIDE.contains(&floor) && BESIDE.contains(&other);
            if beside || row(other).is_some_and(|other| other < own) {
                let line = 1 + text[..at].matches('\n').count();
                faults += &format!("{}:{line}: `{floor}` names `{other}`\n", path.display());
            }
        }
    });
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn nothing_below_the_runtime_reaches_out() {
    let mut faults = String::new();
    each_source(&mut |path, floor, text| {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for (line, code) in (1..).zip(code).filter(|_| row(floor) > row("runtime")) {
            for word in REACHES_OUT.split(',').filter(|word| code.contains(word)) {
                faults += &format!("{}:{line}: `{word}` in `{floor}`\n", path.display());
            }
        }
    });
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn the_map_shows_these_floors() {
    let map = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/CONTRIBUTING.md")).unwrap();
    let cells = map.lines().filter_map(|line| line.strip_prefix("| `src/")?.split(" | ").next());
    let rows: Vec<String> = cells.map(|cell| cell.split(" (").next().unwrap_or_default().replace('`', "")).collect();
    assert_eq!(rows.join("; "), FLOORS);
}

/// What the library says of a rule stands in reason phrases, logs and structs, and all of that is ASCII.
#[test]
fn texts_name_sections_in_ascii() {
    let mut faults = String::new();
    each_source(&mut |path, _, text| {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for (line, _) in (1..).zip(code).filter(|(_, code)| code.contains('\u{a7}')) {
            faults += &format!("{}:{line}: a section sign in a text\n", path.display());
        }
    });
    assert!(faults.is_empty(), "\n{faults}");
}
