//! `tenure policy plan`, `publish --expect` and `withdraw`.

use super::folder::{Folder, account, conversation};
use super::{code, root, stderr, stdout};

const NOW: &str = "2025-11-10T12:00:00Z";
const CONFIRMED: &str = "2025-11-12T00:00:00Z";

/// A folder under the example's terms with 110 conversations, and the next version with a mistyped term.
fn world() -> (Folder, String) {
    let folder = Folder::new();
    let newest = std::fs::read_to_string(root().join("policies/claude-consumer/2025-10-08.toml")).unwrap();
    let said = |place: usize| {
        let time = format!("2025-11-01T{:02}:{:02}:00Z", place / 60, place % 60);
        conversation("ann", &format!("c{place}"), &[&time])
    };
    let lines: Vec<_> = std::iter::once(account("ann")).chain((0..110).map(said)).collect();
    folder.import(&lines[..1], "2025-10-20T00:00:00Z");
    // Whoever has answered is bound by the newest terms.
    folder.done(&["decide", "ann", "train", "off", "--at", "2025-10-21T00:00:00Z"]);
    folder.import(&lines[1..], "2025-11-02T00:00:00Z");
    let term = "for   = \"30 days\"\nfrom  = \"last_activity\"";
    assert!(newest.contains(term), "{newest}");
    let text = newest
        .replace(term, &term.replace("30 days", "30 hours"))
        .replace("version   = \"2025-10-08\"", "version   = \"2025-11-12\"")
        .replace("announced = 2025-09-27T00:00:00Z", &format!("announced = {NOW}"))
        .replace("= 2025-10-08T00:00:00Z", "= 2025-11-12T12:00:00Z");
    let file = folder.file("mistyped.toml", text);
    (folder, file)
}

#[test]
fn a_list_of_what_is_published_needs_no_path_and_a_withdrawal_two_people() {
    let folder = Folder::new();
    let listed = folder.done(&["policy", "show"]);
    assert!(listed.contains("claude-consumer@2025-10-08"), "{listed}");
    let none = folder.done(&["policy", "withdraw", "--list", "--at", NOW]);
    assert!(none.contains("No version was withdrawn"), "{none}");
    let version = "claude-consumer@2025-10-08";
    let withdraw = |name: &str| folder.run(&["policy", "withdraw", version, "--as", name, "--at", NOW]);
    assert_eq!(code(&withdraw("Jane Doe")), 2);
    let asked = withdraw("ops");
    assert!(stdout(&asked).contains("Nothing has changed yet"), "{}{}", stdout(&asked), stderr(&asked));
    assert!(stdout(&withdraw("ops")).contains("Nothing has changed yet"));
    let listed = folder.done(&["policy", "withdraw", "--list", "--at", NOW]);
    assert!(listed.contains("ops asks to withdraw it"), "{listed}");
    let done = folder.json(&["policy", "withdraw", version, "--as", "legal", "--at", CONFIRMED]);
    assert_eq!(done["withdrawal"]["state"], "withdrawn");
    assert_eq!(
        (&done["withdrawal"]["asked"], &done["withdrawal"]["confirmed"]),
        (&"ops".into(), &"legal".into())
    );
    let verified = folder.run(&["ledger", "verify"]);
    assert_eq!(code(&verified), 0, "{}", stdout(&verified));
}

#[test]
fn a_plan_says_what_a_mistyped_term_would_do_and_publishing_stops_at_it() {
    let (folder, file) = world();
    let plan = folder.json(&["policy", "plan", &file, "--at", NOW]);
    assert_eq!((&plan["lost"], &plan["loss"], &plan["exact"]), (&110.into(), &110.into(), &true.into()));
    let shown = folder.done(&["policy", "plan", &file, "--at", NOW]);
    assert!(shown.lines().all(|line| line.chars().count() <= 110), "{shown}");
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("110 of 220 live copies (50.0%) would lose what they are kept by"), "{shown}");
    assert!(words.contains("publish with `--expect 110`"), "{shown}");
    let refused = folder.run(&["policy", "publish", &file, "--at", NOW]);
    let said = stdout(&refused).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code(&refused), 1);
    assert!(said.contains("110 content") && said.contains("nothing was published"), "{said}");
    let fewer = folder.run(&["--json", "policy", "publish", &file, "--expect", "109", "--at", NOW]);
    assert_eq!((code(&fewer), &super::json(&fewer)["refused"]["copies"]), (1, &110.into()));
    folder.done(&["policy", "publish", &file, "--expect", "110", "--at", NOW]);
    let listed = folder.json(&["policy", "show"]);
    let newest = listed["versions"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&newest["version"], &newest["expected"]["expected"]), (&"2025-11-12".into(), &110.into()));
}
