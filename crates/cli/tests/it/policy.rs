//! `tenure policy check`, `show` and `diff`.

use std::fs;

use super::{code, json, root, stderr, stdout, tenure};

#[test]
fn a_sound_policy_is_accepted_and_says_whom_it_asks() {
    let output = tenure(&["policy", "check", "policies/claude-consumer"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("consumer: wider than 2025-05-01"), "{text}");
    assert!(text.contains("consumer: no wider than 2025-09-28, so it binds on 8 October 2025"), "{text}");
    assert!(text.contains("Accepted: 3 versions"), "{text}");
}

#[test]
fn check_gives_programs_the_same_facts() {
    let value = json(&tenure(&["policy", "check", "policies/claude-consumer", "--json"]));
    assert_eq!(value["accepted"], true);
    assert_eq!(value["versions"].as_array().unwrap().len(), 3);
    assert_eq!(value["versions"][1]["name"], "2025-09-28");
    assert_eq!(value["versions"][1]["regimes"][0]["asks"], true);
    assert_eq!(value["versions"][2]["regimes"][0]["widens"], false);
    assert_eq!(value["refusals"].as_array().unwrap().len(), 0);
}

#[test]
fn a_refusal_shows_the_line_with_a_caret_and_ends_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, "policy = \"p\"\ncolour = \"red\"\n").unwrap();
    let output = tenure(&["policy", "check", file.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.contains("bad.toml:2:1"), "{text}");
    assert!(text.contains("2 | colour = \"red\"\n  | ^"), "{text}");
    let value = json(&tenure(&["policy", "check", file.to_str().unwrap(), "--json"]));
    assert_eq!(value["accepted"], false);
    let unknown = value["refusals"].as_array().unwrap().iter().find(|refusal| refusal["line"] == 2).unwrap();
    assert_eq!(unknown["column"], 1);
    assert!(unknown["message"].as_str().unwrap().contains("colour"));
}

#[test]
fn a_version_is_compared_with_the_one_it_is_checked_against_whatever_its_date_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let example = fs::read_to_string(root().join("policies/example.toml")).unwrap();
    let earlier = example
        .replace("version   = \"2025-10-08\"", "version   = \"2025-01-01\"")
        .replace("announced = 2025-08-28", "announced = 2025-01-01");
    let longer = earlier.replace("\"30 days\"\nfrom  = \"deleted\"", "\"31 days\"\nfrom  = \"deleted\"");
    assert_ne!(earlier, longer);
    let old = file("old.toml", &example);
    let check = |new: &str| tenure(&["policy", "check", new, "--against", &old]);
    let same = check(&file("same.toml", &earlier));
    assert_eq!(code(&same), 0);
    assert!(
        stdout(&same).contains("would come before 2025-10-08, which it should follow"),
        "{}",
        stdout(&same)
    );
    let broken = check(&file("broken.toml", &longer.replace("ground  = \"consent\"", "ground  = \"none\"")));
    assert_eq!(code(&broken), 1);
    let within = tenure(&[
        "policy",
        "check",
        "policies/claude-consumer/before.toml",
        "--against",
        "policies/claude-consumer",
    ]);
    assert_eq!(code(&within), 0, "{}", stdout(&within));
}

#[test]
fn a_version_is_checked_against_the_one_before() {
    let before = "policies/claude-consumer/before.toml";
    let after = "policies/claude-consumer/2025-09-28.toml";
    let output = tenure(&["policy", "check", after, "--against", before]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let folder = "corpora/refused/a-ground-that-loosens-from-consent-to-objection";
    let (old, new) = (format!("{folder}/old.toml"), format!("{folder}/new.toml"));
    let output = tenure(&["policy", "check", &new, "--against", &old]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    assert!(stdout(&output).contains("a ground never loosens"), "{}", stdout(&output));
}

#[test]
fn what_can_not_be_read_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("noise.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for path in ["policies/absent.toml", binary.to_str().unwrap(), empty.to_str().unwrap()] {
        let output = tenure(&["policy", "check", path]);
        assert_eq!(code(&output), 2, "{path}");
        assert!(stderr(&output).starts_with("error: "), "{path}");
    }
}

#[test]
fn show_prints_the_matrix_within_the_width() {
    let output = tenure(&["policy", "show", "policies/example.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for words in ["until deleted", "What can never happen", "Allowed for model training", "Only after a yes"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let value = json(&tenure(&["policy", "show", "policies/example.toml", "--json"]));
    let row = &value["sections"][0]["grids"][0]["rows"][0];
    assert_eq!(row["entries"][1]["terms"][0]["words"], "5 years from last activity");
    assert_eq!(row["entries"][1]["terms"][0]["why"], "Allowed for model training");
}

#[test]
fn show_takes_the_version_that_is_named() {
    let shown = |name: &str| tenure(&["policy", "show", "policies/claude-consumer", "--version", name]);
    assert!(stdout(&shown("2025-05-01")).starts_with("claude-consumer 2025-05-01"));
    let output = shown("2031");
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("2025-05-01, 2025-09-28, 2025-10-08"), "{}", stderr(&output));
}

#[test]
fn a_page_is_self_contained_and_escapes_what_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("p.toml");
    let text = fs::read_to_string(root().join("policies/example.toml")).unwrap();
    let text = text.replace("Stored prompts and outputs", "<script>alert('x')</script> & \\\"more\\\"");
    fs::write(&policy, text).unwrap();
    let page = folder.path().join("page.html");
    let output = tenure(&["policy", "show", policy.to_str().unwrap(), "--html", page.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = fs::read_to_string(page).unwrap();
    assert!(!page.contains("<script"), "a title is never markup");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} would ask somebody else");
    }
    for part in ["<html lang=\"en\">", "<caption", "scope=\"row\"", "prefers-color-scheme", "tabindex=\"0\""]
    {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn diff_says_who_is_asked_and_what_moves_by_itself() {
    let folder = "policies/claude-consumer";
    let output = tenure(&["policy", "diff", folder, "--from", "2025-05-01", "--to", "2025-09-28"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("People on free, pro, max and code must be asked."), "{text}");
    assert!(text.contains("feedback: kept shorter (consumer and commercial)"), "{text}");
    let value = json(&tenure(&[
        "policy",
        "diff",
        "policies/claude-consumer/2025-09-28.toml",
        "policies/claude-consumer/2025-10-08.toml",
        "--json",
    ]));
    assert_eq!(value["accepted"], true);
    assert_eq!(value["terms"].as_array().unwrap().len(), 0);
    assert!(value["people"].as_array().unwrap().iter().all(|people| people["asked"] == false));
}

#[test]
fn a_refused_change_is_still_shown() {
    let folder = "corpora/refused/a-ground-that-loosens-from-consent-to-objection";
    let page = tempfile::tempdir().unwrap();
    let page = page.path().join("diff.html");
    let (old, new) = (format!("{folder}/old.toml"), format!("{folder}/new.toml"));
    let output = tenure(&["policy", "diff", &old, &new]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("Who is asked") && stdout(&output).contains("Refused, with"));
    let value = json(&tenure(&["policy", "diff", &old, &new, "--json"]));
    assert_eq!(value["accepted"], false);
    assert!(!value["refusals"].as_array().unwrap().is_empty());
    let output = tenure(&["policy", "diff", &old, &new, "--html", page.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(fs::read_to_string(page).unwrap().contains("Why it is refused"));
}
