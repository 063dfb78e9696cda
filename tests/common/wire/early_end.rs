//! 199 (RFC 6228 §5): the end of one of several early dialogs. What its receiver sends then, `dialogs` judges.

use super::View;

pub fn judge(view: &mut View<'_>) {
    for server in 0..view.servers.len() {
        let request = view.sip(view.servers[server].receipts[0]);
        let known = request.method() == "INVITE" && request.all("supported").contains(&"199");
        let responses = view.servers[server].responses.clone();
        for (place, line) in responses.iter().copied().enumerate() {
            let tag = view.sip(line).to_tag();
            let mut former: Vec<usize> = responses[..place].to_vec();
            former.retain(|other| view.sip(*other).to_tag() == tag);
            let ended = former.iter().any(|other| view.status(*other) == 199);
            match view.status(line) {
                _ if is_repeat(view, &former, line) => {}
                status @ ..300 if ended => {
                    view.blame("199-order", line, format!("{status} in a dialog that a 199 has ended"));
                }
                199 => {
                    judge_form(view, line);
                    if !known {
                        view.blame("199-supported", line, "the request is no INVITE that supports 199");
                    }
                    // There has to be an early dialog that ends.
                    if !former.iter().any(|other| view.status(*other) > 100) {
                        view.blame("199-order", line, "no response had made this early dialog");
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_repeat(view: &View<'_>, former: &[usize], line: usize) -> bool {
    former.iter().any(|other| view.seen[*other].bytes == view.seen[line].bytes)
}

/// §5: To tag, the reason, and no description.
fn judge_form(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    let cause = sip
        .get("reason")
        .is_some_and(|reason| reason.to_ascii_uppercase().starts_with("SIP") && reason.contains("cause="));
    let fault = match sip.to_tag() {
        None => "no To tag",
        Some(_) if sip.sdp().is_some() => "with a session description",
        Some(_) if !cause => "no Reason with the code that ended the dialog",
        Some(_) => return,
    };
    view.blame("199-form", line, fault);
}
