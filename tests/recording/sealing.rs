//! Sealing: the real `age` opens what is sealed here and the other way round, and a sealed text has one spelling.

use super::*;

/// Runs `age` with something at its input; what it gave.
fn run_age(place: &Place, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut command = Command::new("age");
    command.args(arguments).current_dir(place.path("home"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeds = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeds.join();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Sizes around the borders of age's chunks.
const SIZES: [usize; 8] = [0, 1, 31, 65_535, 65_536, 65_537, 131_072, 200_000];

#[test]
fn age_opens_what_is_sealed_here() {
    if absent("age_opens_what_is_sealed_here", &["age", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let recipients = [public(&place, "recorder"), public(&place, "rita")];
    for size in SIZES {
        let sealed = age::seal(&recipients, &text(size), &mut Counting(0)).unwrap();
        for name in ["recorder", "rita"] {
            let opened = run_age(&place, &["-d", "-i", place.key(name).to_str().unwrap()], &sealed);
            assert_eq!(opened, Ok(text(size)), "{name} opens {size} bytes");
            assert_eq!(open(&sealed, &opener(&place.key(name), "")), Ok(text(size)));
        }
        let stranger = run_age(&place, &["-d", "-i", place.key("alice").to_str().unwrap()], &sealed);
        assert!(stranger.is_err(), "alice opens what is not sealed to her");
        assert!(matches!(open(&sealed, &opener(&place.key("alice"), "")), Err(OpenError::OtherKeys(_))));
    }
}

#[test]
fn what_age_seals_is_opened_here() {
    if absent("what_age_seals_is_opened_here", &["age", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let locked = place.path("keys").join("locked");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "a long passphrase", "-C", "locked", "-f"]).arg(&locked);
    place.run(command).ok();
    let file = |name: &str| place.path("keys").join(format!("{name}.pub")).display().to_string();
    // Another kind of recipient among ours is none of our business.
    let other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let mut arguments = vec!["-r".to_owned(), other.to_owned()];
    for name in ["alice", "recorder", "locked"] {
        arguments.extend(["-R".to_owned(), file(name)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for size in SIZES {
        let sealed = run_age(&place, &arguments, &text(size)).unwrap();
        for (key, passphrase) in
            [(place.key("recorder"), ""), (place.key("alice"), ""), (locked.clone(), "a long passphrase")]
        {
            assert_eq!(
                open(&sealed, &opener(&key, passphrase)),
                Ok(text(size)),
                "{} opens {size} bytes",
                key.display()
            );
        }
        assert!(matches!(open(&sealed, &opener(&place.key("rita"), "")), Err(OpenError::OtherKeys(_))));
    }
    let armored = run_age(&place, &["-a", "-R", &file("recorder")], b"x").unwrap();
    assert_eq!(open(&armored, &opener(&place.key("recorder"), "")), Err(OpenError::NotAge));
}

#[test]
fn no_bit_of_a_sealed_text_can_be_changed() {
    let place = Place::new();
    let opener = opener(&place.key("recorder"), "");
    let sealed = age::seal(&[public(&place, "recorder")], b"a line\n", &mut Counting(0)).unwrap();
    assert_eq!(open(&sealed, &opener), Ok(b"a line\n".to_vec()));
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert!(open(&changed, &opener).is_err(), "bit {bit} of byte {at}");
        }
        assert!(open(&sealed[..at], &opener).is_err(), "cut after {at} bytes");
    }
    for tail in [&b"\n"[..], &b"\0"[..], &sealed[..]] {
        assert_eq!(open(&[&sealed, tail].concat(), &opener), Err(OpenError::Payload));
    }
}

#[test]
fn a_sealed_text_has_one_spelling() {
    let place = Place::new();
    let opener = opener(&place.key("recorder"), "");
    let sealed = age::seal(&[public(&place, "recorder")], &text(65_536), &mut Counting(0)).unwrap();
    let at = sealed.windows(4).position(|four| four == b"\n---").unwrap() + 1;
    let (head, rest) = sealed.split_at(at);
    let head = String::from_utf8(head.to_vec()).unwrap();
    let lines: Vec<&str> = head.lines().collect();
    let (stanza, body) = (lines[1], lines[2]);
    let arguments: Vec<&str> = stanza.split(' ').collect();
    let spare = |text: &str| {
        // The last character of 43 carries two bits that must be zero.
        let last = text.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
        format!("{}{next}", &text[..text.len() - 1])
    };
    let zero = "A".repeat(43);
    let heads = [
        (head.replace(arguments[3], &spare(arguments[3])), OpenError::Header("a stanza's arguments are malformed")),
        (head.replace(body, &spare(body)), OpenError::Header("a stanza's body is malformed")),
        (head.replace(body, &format!("{body}=")), OpenError::Header("a stanza's body is malformed")),
        (head.replace("-> ssh", "->  ssh"), OpenError::Header("a stanza's arguments are malformed")),
        (head.replace('\n', "\r\n"), OpenError::NotAge),
        (head.replace("/v1", "/v2"), OpenError::NotAge),
        (head.replace(arguments[3], &zero), OpenError::WeakShare),
        (head.replace(&format!(" {}", arguments[3]), ""), OpenError::Header("a stanza's arguments are malformed")),
        (head.replace(body, &body[..24]), OpenError::Header("a wrapped key has another length")),
        ("age-encryption.org/v1\n".to_owned(), OpenError::Header("it has no stanza")),
        (format!("{head}-> other thing\n\n"), OpenError::Mac),
    ];
    for (head, cause) in heads {
        assert_eq!(open(&[head.as_bytes(), rest].concat(), &opener), Err(cause), "{head}");
    }
    // A full chunk is the last one: an empty one after it would be another spelling, and cutting it off is seen.
    assert_eq!(open(&sealed[..sealed.len() - 1], &opener), Err(OpenError::Payload));
}

#[test]
fn nothing_is_sealed_to_nobody_or_to_hardware() {
    let nobody = age::seal(&[], b"", &mut Counting(0)).unwrap_err();
    assert_eq!(nobody.to_string(), "there is no recorder key to seal the recording to");
    let place = Place::new();
    let header = header("a");
    assert!(Recorder::new(Vec::new(), &[], &header, 0, &mut Counting(0)).is_err());
    // The key of PROTOCOL.u2f's kind, with the point of a software key.
    let point = *public(&place, "alice").point();
    let mut blob = Vec::new();
    for part in [&b"sk-ssh-ed25519@openssh.com"[..], &point, b"ssh:"] {
        blob.extend_from_slice(&(part.len() as u32).to_be_bytes());
        blob.extend_from_slice(part);
    }
    let hardware = PublicKey::from_blob(&blob).unwrap();
    let refused = age::seal(&[public(&place, "recorder"), hardware], b"", &mut Counting(0)).unwrap_err();
    assert!(refused.to_string().contains("hardware key"), "{refused}");
}
