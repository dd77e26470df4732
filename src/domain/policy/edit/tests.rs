//! Tests of the edits: what changes, and that every other byte stays.

use super::*;

const FILE: &str = "# The payment team's policy.
version = 3  # counts
name = \"acme/production\"

[root]
threshold = 1
members = [
    \"rita\",  # the owner
    \"bob\",   # until May
    \"raj\"    # in London
]

# Everybody.

# alice asks most
[member.alice]
email = \"alice@acme.example\"
keys = [\"one\", \"two\"]   # two of them

# bob: leaves in May
[ member . \"bob\" ] # here
email = \"bob@acme.example\"
keys = [
    # at home
    \"one\",
    \"two\",  # at work
]
# Below are machines.

[service.minter]
keys = [ \"k\" ]
";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Lines that are only in one of the two, with `-` and `+`.
fn changed(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("-{line}"));
    gone.chain(new.iter().filter(|line| !old.contains(line)).map(|line| format!("+{line}"))).collect()
}

#[test]
fn only_the_version_changes() {
    for (text, after) in [
        ("version = 1\nname = \"a\"\n", Some("version = 2\nname = \"a\"\n")),
        ("# version = 7\nversion=1 # the first\n", Some("# version = 7\nversion = 2 # the first\n")),
        ("name = \"a\"\r\n  version = 41", Some("name = \"a\"\r\nversion = 2")),
        ("name = \"a\"\n[root]\nversion = 1\n", None),
        ("versions = 1\n", None),
    ] {
        assert_eq!(with_version(text, 2).ok().as_deref(), after, "{text}");
    }
}

#[test]
fn a_member_comes_behind_the_last_one() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key();
    let key = PublicKey::ed25519(key.to_bytes()).unwrap();
    let text = key.to_string();
    let after = add_member(FILE, &name("dave"), "dave@acme.example", &[name("sre")], &[key]).unwrap();
    let block = format!("\n[member.dave]\nemail = \"dave@acme.example\"\ngroups = [\"sre\"]\nkeys = [\"{text}\"]\n\n");
    let (before, behind) = FILE.split_once("# Below").unwrap();
    assert_eq!(after, format!("{before}{block}# Below{behind}"));
    // No member yet, no line end at the end.
    let after = add_member("version = 1", &name("a.b"), "a\"b", &[], &[]).unwrap();
    assert_eq!(after, "version = 1\n\n[member.\"a.b\"]\nemail = \"a\\\"b\"\ngroups = []\nkeys = [\n]\n");
}

#[test]
fn a_member_goes_and_takes_only_its_own_lines() {
    let after = remove_member(FILE, &name("bob")).unwrap();
    assert_eq!(
        changed(FILE, &after),
        [
            "-    \"bob\",   # until May",
            "-# bob: leaves in May",
            "-[ member . \"bob\" ] # here",
            "-email = \"bob@acme.example\"",
            "-keys = [",
            "-    # at home",
            "-    \"one\",",
            "-    \"two\",  # at work",
        ]
    );
    assert!(after.contains("# two of them\n\n# Below are machines.\n\n[service.minter]"), "{after}");
    // A comment that does not name her stays, and one that does goes.
    let after = remove_member(FILE, &name("alice")).unwrap();
    assert!(after.contains("]\n\n# Everybody.\n\n# bob: leaves"), "{after}");
    assert_eq!(remove_member(FILE, &name("carol")), Err(EditError::Missing("member.carol".to_owned())));
    let inline = "member = { bob = { email = \"b\" } }\n";
    assert_eq!(remove_member(inline, &name("bob")), Err(EditError::Header("member.bob".to_owned())));
}

#[test]
fn items_come_and_go_within_the_form_of_their_list() {
    let alice = ["member", "alice", "keys"];
    let bob = ["member", "bob", "keys"];
    let root = ["root", "members"];
    for (path, item, line) in
        [(&alice[..], "one", "+keys = [\"two\"]   # two of them"), (&alice, "two", "+keys = [\"one\"]   # two of them")]
    {
        let after = remove_item(FILE, path, item).unwrap();
        assert_eq!(changed(FILE, &after)[1..], [line.to_owned()], "{item}");
        assert!(list(&after, path).unwrap().position(item).is_none());
    }
    assert_eq!(changed(FILE, &remove_item(FILE, &bob, "two").unwrap()), ["-    \"two\",  # at work"]);
    assert_eq!(changed(FILE, &remove_item(FILE, &root, "raj").unwrap()), ["-    \"raj\"    # in London"]);
    assert_eq!(changed(FILE, &add_item(FILE, &bob, "new").unwrap()), ["+    \"new\","]);
    assert_eq!(
        changed(FILE, &add_item(FILE, &root, "new").unwrap()),
        ["-    \"raj\"    # in London", "+    \"raj\",    # in London", "+    \"new\","]
    );
    assert_eq!(
        changed(FILE, &add_item(FILE, &alice, "new").unwrap())[1],
        "+keys = [\"one\", \"two\", \"new\"]   # two of them"
    );
    for text in [
        "a = []",
        "a = [\n]",
        "a = [\"x\"]",
        "a = [\"x\",]",
        "a = [\n\"x\"]",
        "a = [\n\"x\" # c\n]",
        "a = [\n\"x\" # c\n, ]",
    ] {
        let after = add_item(text, &["a"], "new").unwrap();
        let items = list(&after, &["a"]).unwrap().items;
        assert_eq!(items.last().map(|(_, item)| item.as_str()), Some("new"), "{text} → {after}");
        assert_eq!(items.len(), list(text, &["a"]).unwrap().items.len() + 1);
        assert_eq!(after.contains("# c"), text.contains("# c"));
        if text.ends_with(", ]") {
            // The comment would go with it.
            assert_eq!(remove_item(&after, &["a"], "new"), Err(EditError::List("a".to_owned())));
            continue;
        }
        let back = remove_item(&after, &["a"], "new").unwrap();
        assert_eq!(list(&back, &["a"]).unwrap().items.len(), items.len() - 1, "{after} → {back}");
    }
    let odd = "a = [\"x\", # first\n\"y\"]";
    assert_eq!(remove_item(odd, &["a"], "x"), Err(EditError::List("a".to_owned())));
}

#[test]
fn a_member_is_parted_from_what_is_around_by_one_empty_line() {
    let block = "[member.dave]\nemail = \"d\"\ngroups = []\nkeys = [\n]\n";
    for (text, after) in [
        (String::new(), block.to_owned()),
        ("version = 1\n".to_owned(), format!("version = 1\n\n{block}")),
        ("version = 1\n\n".to_owned(), format!("version = 1\n\n{block}")),
        ("[member.bob]\nemail = \"b\"\n".to_owned(), format!("[member.bob]\nemail = \"b\"\n\n{block}")),
        (
            "[member.bob]\nemail = \"b\"\n[service.minter]\n".to_owned(),
            format!("[member.bob]\nemail = \"b\"\n\n{block}\n[service.minter]\n"),
        ),
        (
            "[member.bob]\nemail = \"b\"\n\n[service.minter]\n".to_owned(),
            format!("[member.bob]\nemail = \"b\"\n\n{block}\n[service.minter]\n"),
        ),
        (
            "[member.bob]\nemail = \"b\"\n\r\n[service.minter]\n".to_owned(),
            format!("[member.bob]\nemail = \"b\"\n\n{block}\r\n[service.minter]\n"),
        ),
    ] {
        assert_eq!(add_member(&text, &name("dave"), "d", &[], &[]).unwrap(), after, "{text:?}");
    }
    // What a text cannot hold as it is stands there escaped.
    let after = add_member("", &name("dave"), "a\\\"\u{7}\u{7f}é", &[], &[]).unwrap();
    assert!(after.contains("\nemail = \"a\\\\\\\"\\u0007\\u007Fé\"\n"), "{after}");
    let document = parse(&after).unwrap();
    let email = find(document.get_ref(), &["member", "dave", "email"]).unwrap();
    assert_eq!(email.get_ref().as_str(), Some("a\\\"\u{7}\u{7f}é"));
}

#[test]
fn only_a_comment_that_names_who_goes_goes_too() {
    let member = "[member.alice]\nemail = \"a\"\n";
    for (above, stays) in [
        ("# The team\n# Alice asks most\n", "# The team\n"),
        ("# alice-b asks most\n", "# alice-b asks most\n"),
        ("# who: alice, bob\n", ""),
        ("name = \"alice\"\n", "name = \"alice\"\n"),
        ("name = \"alice\"\n# alice\n", "name = \"alice\"\n"),
        ("# alice\n# once more: alice\n", ""),
    ] {
        assert_eq!(remove_member(&format!("{above}{member}"), &name("alice")).unwrap(), stays, "{above:?}");
    }
}

#[test]
fn several_items_may_stand_on_one_line_of_many() {
    let a = ["a"];
    let text = "a = [\n  \"x\", \"y\",\n  \"z\"\n]\n";
    assert_eq!(remove_item(text, &a, "x").unwrap(), "a = [\n  \"y\",\n  \"z\"\n]\n");
    assert_eq!(remove_item(text, &a, "z").unwrap(), "a = [\n  \"x\", \"y\",\n]\n");
    let text = "a = [\n  \"x\", \"y\"\n]\n";
    assert_eq!(add_item(text, &a, "new").unwrap(), "a = [\n  \"x\", \"y\", \"new\"\n]\n");
    // A comma in a comment parts no items.
    let text = "a = [\n  \"x\" # one, or two\n]\n";
    assert_eq!(add_item(text, &a, "new").unwrap(), "a = [\n  \"x\", # one, or two\n  \"new\",\n]\n");
    let text = "a = [\n  \"x\" # one, or two\n  , # three, or four\n]\n";
    let after = add_item(text, &a, "new").unwrap();
    assert_eq!(after, "a = [\n  \"x\" # one, or two\n  , # three, or four\n  \"new\",\n]\n");
}
