//! Plays an input of the target "calls" and tells what happened: messages, events, what hosts and network did.
fn main() {
    for path in std::env::args().skip(1) {
        let data = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        println!("{}", sipdlg_fuzz::calls::story(&data));
    }
}
