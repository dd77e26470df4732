//! `jit audit page` in a real browser: a good page is green, and what was changed in it turns red, exactly there; what
//! cannot be checked is never green; nothing that others wrote acts; no network is asked.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::browser::{Browser, CHROMIUM, Page};
use common::{Place, absent};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;

const NEEDS: [&str; 3] = ["git", "ssh-keygen", CHROMIUM];
const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";
const DATA: (&str, &str) = ("<script type=\"application/json\" id=\"evidence\">", "</script>");

fn sample(place: &Place) -> PathBuf {
    let ledger = place.path("sample.git");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

/// Writes the page of a ledger.
fn page(place: &Place, ledger: &Path, name: &str, chosen: &[&str]) -> PathBuf {
    let file = place.path(name);
    let arguments = [&["audit", "page", "--json", "--out", file.to_str().unwrap()], chosen].concat();
    place.desk("alice", ledger).jit(&arguments).ok();
    file
}

/// The evidence in a page.
fn evidence(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap();
    let from = text.find(DATA.0).unwrap() + DATA.0.len();
    let length = text[from..].find(DATA.1).unwrap();
    serde_json::from_str(&text[from..from + length]).unwrap()
}

/// The same page around other evidence.
fn with_evidence(place: &Place, file: &Path, name: &str, evidence: &Value) -> PathBuf {
    let text = fs::read_to_string(file).unwrap();
    let from = text.find(DATA.0).unwrap() + DATA.0.len();
    let length = text[from..].find(DATA.1).unwrap();
    let inert = evidence.to_string().replace('<', "\\u003c");
    let changed = place.path(name);
    fs::write(&changed, [&text[..from], &inert, &text[from + length..]].concat()).unwrap();
    changed
}

/// The state of the whole, once it is settled.
fn verdict(page: &mut Page<'_>) -> String {
    page.until("document.documentElement.dataset.check").as_str().unwrap().to_owned()
}

/// Every case and what its row shows.
fn rows(page: &mut Page<'_>) -> BTreeMap<String, String> {
    page.eval("location.hash = '#/cases'");
    page.until("document.querySelectorAll('table.cases tbody tr').length");
    let script = "[...document.querySelectorAll('table.cases tbody tr')]\
                  .map((row) => [row.querySelector('a').textContent, row.querySelector('.mark').dataset.state])";
    let rows: Vec<(String, String)> = serde_json::from_value(page.eval(script)).unwrap();
    rows.into_iter().collect()
}

/// Demands that exactly `bad` are red, and all others `rest`.
#[track_caller]
fn red(page: &mut Page<'_>, what: &str, bad: &[&str], rest: &str) {
    let rows = rows(page);
    assert!(rows.len() > 1, "{what}: {rows:?}");
    for (case, state) in &rows {
        let expected = if bad.contains(&case.as_str()) { "bad" } else { rest };
        assert_eq!(state, expected, "{what}: case {case} of {rows:?}");
    }
    assert!(bad.iter().all(|case| rows.contains_key(*case)), "{what}: {bad:?} in {rows:?}");
}

#[test]
fn a_good_page_is_green_and_asks_nobody() {
    if absent("a_good_page_is_green_and_asks_nobody", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let mut browser = Browser::open();
    for chosen in [&[][..], &["--case", "6dbu"], &["--incident", "INC-4711"], &["--from", "2026-11-23T14:30:00Z"]] {
        let file = page(&place, &ledger, &format!("{}.html", chosen.join("")), chosen);
        let mut page = browser.page(&file, "");
        assert_eq!(verdict(&mut page), "good", "{chosen:?}: {}", page.eval("document.body.innerText"));
        assert_eq!(page.eval("isSecureContext"), true, "a file is no secure context in this browser");
        let said = page.eval("document.getElementById('verdict').innerText");
        assert!(said.as_str().unwrap().contains("Checked in this browser"), "{said}");
        assert!(said.as_str().unwrap().contains("judged by jit, not here"), "{said}");
        red(&mut page, "a good page", &[], "good");
        for view in ["overview", "timeline", "exceptions", "checks", "case/6dbulmjde6j277dv", "nonsense"] {
            page.eval(&format!("location.hash = '#/{view}'"));
            page.until("document.querySelector('main h2').innerText");
        }
        let wrong = [page.told("Runtime.exceptionThrown"), page.told("Log.entryAdded")].concat();
        assert!(wrong.is_empty(), "{wrong:?}");
        let asked = page.told("Network.requestWillBeSent");
        let addresses: Vec<&str> = asked.iter().map(|asked| asked["request"]["url"].as_str().unwrap()).collect();
        assert!(
            addresses.iter().all(|address| address.starts_with("file://") && address.ends_with(".html")),
            "{addresses:?}"
        );
        assert_eq!(addresses.len(), 1, "{addresses:?}");
    }
    // What it says of the ledger is what another producer computed.
    let expected: Value = serde_json::from_str(
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/expected.json")).unwrap(),
    )
    .unwrap();
    let mut page = browser.page(&place.path(".html"), "");
    verdict(&mut page);
    page.eval("location.hash = '#/checks'");
    let text = page.until("document.querySelector('.parts') && document.querySelector('main').innerText");
    for known in ["ledger", "head", "root"] {
        assert!(text.as_str().unwrap().contains(expected[known].as_str().unwrap()), "{known}: {text}");
    }
}

#[test]
fn what_was_changed_is_red_exactly_there() {
    if absent("what_was_changed_is_red_exactly_there", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "good.html", &[]);
    let good = evidence(&file);
    let case = "6dbulmjde6j277dv";
    let at = |position: u64| good["events"].as_array().unwrap().iter().position(|event| event[0] == position).unwrap();
    let text = |position: u64| good["events"][at(position)][1].as_str().unwrap().to_owned();
    let signature = |position: u64| good["events"][at(position)][2].as_str().unwrap().to_owned();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut data = good.clone();
        change(&mut data);
        assert_ne!(data, good, "nothing was changed");
        data
    };
    type Change<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>, Vec<&'a str>, &'a str);
    let changes: Vec<Change<'_>> = vec![
        (
            "one byte of an event",
            Box::new(|data| data["events"][at(1)][1] = json!(text(1).replacen("Payments", "payments", 1))),
            vec![case],
            "good",
        ),
        (
            "one byte of an approval's comment",
            Box::new(|data| data["events"][at(3)][1] = json!(text(3).replacen("Read only", "Read-only", 1))),
            vec![case],
            "good",
        ),
        (
            "a character of a signature",
            Box::new(|data| {
                let old = signature(2);
                let place = old.len() - 20;
                let other = if &old[place..=place] == "A" { "B" } else { "A" };
                data["events"][at(2)][2] = json!([&old[..place], other, &old[place + 1..]].concat());
            }),
            vec![case],
            "good",
        ),
        (
            "another event's signature",
            Box::new(|data| data["events"][at(5)][2] = json!(signature(6))),
            vec![case],
            "good",
        ),
        ("no signature", Box::new(|data| data["events"][at(5)][2] = json!("")), vec![case], "good"),
        (
            "an event taken out",
            Box::new(|data| drop(data["events"].as_array_mut().unwrap().remove(at(2)))),
            vec![case],
            "good",
        ),
        (
            "two events in each other's place",
            Box::new(|data| {
                data["events"][at(2)][0] = json!(3);
                data["events"][at(3)][0] = json!(2);
            }),
            vec![case],
            "good",
        ),
        (
            "an event of another case",
            Box::new(|data| data["cases"][1]["events"].as_array_mut().unwrap().push(json!(11))),
            vec![case],
            "good",
        ),
        (
            "an event of no case",
            Box::new(|data| drop(data["cases"][1]["events"].as_array_mut().unwrap().pop())),
            vec![],
            "-",
        ),
        ("a leaf of the tree", Box::new(|data| data["tree"][2][2] = data["tree"][3][2].clone()), vec![], "-"),
        ("the last leaf", Box::new(|data| drop(data["tree"].as_array_mut().unwrap().pop())), vec![], "-"),
        (
            "the root that is claimed",
            Box::new(|data| data["ledger"]["root"] = json!(format!("sha256:{}", "0".repeat(64)))),
            vec![],
            "part",
        ),
        (
            "the ledger's id",
            Box::new(|data| data["ledger"]["id"] = json!(format!("sha256:{}", "0".repeat(64)))),
            vec![],
            "bad",
        ),
        (
            "a policy",
            Box::new(|data| {
                let old = data["policies"][0]["policy"].as_str().unwrap().to_owned();
                data["policies"][0]["policy"] = json!(old.replacen("threshold = ", "threshold =  ", 1));
            }),
            vec![],
            "-",
        ),
        (
            "a key more in allowed_signers",
            Box::new(|data| {
                let old = data["policies"][1]["allowed_signers"].as_str().unwrap().to_owned();
                let key = place.public_key("erin");
                data["policies"][1]["allowed_signers"] = json!(format!("{old}bob namespaces=\"jit-1/*\" {key}\n"));
            }),
            vec![],
            "-",
        ),
        ("no policy", Box::new(|data| data["policies"] = json!([])), vec![], "-"),
        ("a later start of a policy", Box::new(|data| data["policies"][1]["from"] = json!(30)), vec![], "-"),
        ("a void commit", Box::new(|data| data["voids"][0]["raw"] = json!("AAAA")), vec![], "good"),
        ("a void commit taken out", Box::new(|data| data["voids"] = json!([])), vec![], "good"),
        ("a hole", Box::new(|data| data["events"] = json!([])), vec![], "bad"),
    ];
    let mut browser = Browser::open();
    for (what, change, bad, rest) in changes {
        let file = with_evidence(&place, &file, "changed.html", &changed(&change));
        let mut page = browser.page(&file, "");
        assert_eq!(verdict(&mut page), "bad", "{what}: {}", page.eval("document.body.innerText"));
        let state = page.eval("document.getElementById('verdict').dataset.state");
        assert_eq!(state, "bad", "{what}");
        if rest != "-" {
            red(&mut page, what, &bad, rest);
        }
        assert!(page.told("Runtime.exceptionThrown").is_empty(), "{what}");
    }
    // What is no evidence at all.
    let text = fs::read_to_string(&file).unwrap();
    let broken = place.path("broken.html");
    fs::write(&broken, text.replacen("\"events\":[", "\"events\":[,", 1)).unwrap();
    let mut page = browser.page(&broken, "");
    assert_eq!(verdict(&mut page), "bad");
}

/// A signature that holds, by a key that is not the author's, with leaf and root made to fit: the policy tells.
#[test]
fn a_good_signature_by_the_wrong_key_is_red() {
    if absent("a_good_signature_by_the_wrong_key_is_red", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "good.html", &[]);
    let mut data = evidence(&file);
    let event = data["events"].as_array().unwrap().iter().position(|event| event[0] == 2).unwrap();
    let text = data["events"][event][1].as_str().unwrap().to_owned();
    data["events"][event][2] = json!(signed(&place, "erin", "jit-1/approval", &text));
    let file = with_evidence(&place, &file, "forged.html", &data);
    let mut browser = Browser::open();
    let mut page = browser.page(&file, "");
    assert_eq!(verdict(&mut page), "bad");
    red(&mut page, "another's key", &["6dbulmjde6j277dv"], "good");
    page.eval("location.hash = '#/case/6dbulmjde6j277dv'");
    let script = "[...document.querySelectorAll('.entries > li')].map((entry) => \
                  [...entry.querySelectorAll('.checks .mark')].map((mark) => mark.dataset.state).join(' '))";
    let marks = page.until(&format!("document.querySelector('.entries') && {script}"));
    assert_eq!(marks[0], "good good good good good");
    assert_eq!(marks[1], "good bad good bad good", "the signature holds; the key and the leaf do not");
    let why = page.eval("document.querySelector('.entries .alarm').innerText");
    assert!(why.as_str().unwrap().contains("may not sign a approval as bob"), "{why}");
}

/// The base64 of a signature that the real `ssh-keygen` makes.
fn signed(place: &Place, who: &str, namespace: &str, text: &str) -> String {
    let message = place.path("message");
    fs::write(&message, text).unwrap();
    fs::remove_file(place.path("message.sig")).ok();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(place.key(who)).arg(&message);
    place.run(keygen).ok();
    let armor = fs::read_to_string(place.path("message.sig")).unwrap();
    armor.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn what_others_wrote_stays_words() {
    if absent("what_others_wrote_stays_words", &NEEDS) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let hostile = "</script><script>window.acted = 1</script><!-- <img src=x onerror='window.acted=1'> \
                   ]]> &lt;b&gt; {{script}} {{evidence}} \\u003c `${window.acted = 1}` \" ' --> <svg onload=window.acted=1>";
    let alice = place.desk("alice", &ledger);
    let request = common::request("payments-db/read-only", "30m", hostile);
    let case = alice.jit(&request).ok().text("id");
    place.desk("dave", &ledger).jit(&["deny", &case, "--comment", hostile, "--yes", "--json"]).ok();
    let file = page(&place, &ledger, "hostile.html", &[]);
    let source = fs::read_to_string(&file).unwrap();
    assert_eq!(source.matches("<script").count(), 2, "the data's and the program's");
    let mut browser = Browser::open();
    let mut page = browser.page(&file, "");
    assert_eq!(verdict(&mut page), "good");
    page.eval(&format!("location.hash = '#/case/{case}'"));
    let shown = page.until("document.querySelector('.facts') && document.querySelector('main').textContent");
    assert_eq!(shown.as_str().unwrap().matches(hostile).count(), 2, "in the facts and in the denial: {shown}");
    let written = hostile.replace('\\', "\\\\").replace('"', "\\\"");
    assert_eq!(shown.as_str().unwrap().matches(&written).count(), 2, "as both were signed: {shown}");
    for view in ["overview", "cases", "timeline", "exceptions", "checks"] {
        page.eval(&format!("location.hash = '#/{view}'"));
        page.until("document.querySelector('main h2').innerText");
        assert_eq!(
            page.eval("document.querySelectorAll('img, iframe, object, main script, main svg[onload]').length"),
            0
        );
    }
    assert_eq!(page.eval("typeof window.acted"), "undefined");
    // And if the program had a hole, the browser would not let it act: no markup from text, no script but ours.
    let blocked = page.eval(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'taken'; } catch (e) { return e.name; } })()",
    );
    assert_eq!(blocked, "TypeError", "trusted types are enforced");
    let handler = "(() => { try { document.body.setAttribute('onclick', 'window.acted = 1'); return 'taken'; } catch (e) { return e.name; } })()";
    assert_eq!(page.eval(handler), "TypeError", "no handler from text either");
    assert_eq!(page.eval("typeof window.acted"), "undefined");
}

#[test]
fn a_browser_that_cannot_check_never_shows_green() {
    if absent("a_browser_that_cannot_check_never_shows_green", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "page.html", &[]);
    let lacks: [(&str, &str); 5] = [
        ("no WebCrypto", "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"),
        (
            "no Ed25519",
            "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))",
        ),
        ("takes every signature", "SubtleCrypto.prototype.verify = () => Promise.resolve(true)"),
        ("takes none", "SubtleCrypto.prototype.verify = () => Promise.resolve(false)"),
        ("another SHA-256", "SubtleCrypto.prototype.digest = () => Promise.resolve(new ArrayBuffer(32))"),
    ];
    let mut browser = Browser::open();
    for (what, before) in lacks {
        let mut page = browser.page(&file, before);
        assert_eq!(verdict(&mut page), "cannot", "{what}");
        let said = page.eval("document.getElementById('verdict').innerText");
        assert!(said.as_str().unwrap().contains("Nothing on this page has been checked"), "{what}: {said}");
        assert!(said.as_str().unwrap().contains("jit audit bundle"), "{what}: {said}");
        red(&mut page, what, &[], "cannot");
        for view in ["checks", "timeline", "exceptions", "case/6dbulmjde6j277dv"] {
            page.eval(&format!("location.hash = '#/{view}'"));
            page.until("document.querySelector('main .mark')");
            assert_eq!(page.eval("document.querySelectorAll('[data-state=good]').length"), 0, "{what}: {view}");
        }
    }
    // While it is being checked nothing is green either, and without its program it shows nothing at all.
    let mut page = browser.page(&file, "SubtleCrypto.prototype.verify = () => new Promise(() => {})");
    page.until("document.documentElement.dataset.ready");
    red(&mut page, "still checking", &[], "open");
    assert_eq!(page.eval("document.querySelectorAll('[data-state=good]').length"), 0);
    let source = fs::read_to_string(&file).unwrap();
    let (before, _) = source.split_once("<script>").unwrap();
    assert!(before.contains("Nothing has been checked.") && before.contains("<noscript>"));
}

/// Signatures of hardware keys, made by OpenSSH, checked by the page's own program.
#[test]
fn hardware_keys_are_checked_with_their_flags() {
    if absent("hardware_keys_are_checked_with_their_flags", &NEEDS) {
        return;
    }
    if !Path::new(SK_DUMMY).exists() {
        return common::skip("hardware_keys_are_checked_with_their_flags", "openssh-tests is not installed");
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "page.html", &[]);
    let mut browser = Browser::open();
    let mut page = browser.page(&file, "");
    verdict(&mut page);
    for (options, flags) in [(&[][..], 1), (&["-O", "verify-required"], 5), (&["-O", "no-touch-required"], 0)] {
        let name = format!("sk{flags}");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519-sk", "-N", "", "-w", SK_DUMMY]).args(options).arg("-f").arg(place.key(&name));
        place.run(keygen).ok();
        let message = place.path("sk-message");
        fs::write(&message, "jit = 1\n").unwrap();
        fs::remove_file(place.path("sk-message.sig")).ok();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-Y", "sign", "-n", "jit-1/approval", "-f"]).arg(place.key(&name)).arg(&message);
        keygen.env("SSH_SK_PROVIDER", SK_DUMMY);
        place.run_with(keygen, &place.path("home"), &[("SSH_SK_PROVIDER", SK_DUMMY.as_ref())], b"").ok();
        let armor = fs::read_to_string(place.path("sk-message.sig")).unwrap();
        let base64: String = armor.lines().filter(|line| !line.starts_with("-----")).collect();
        let checks = |text: &str| {
            format!(
                "(async () => {{ const sig = parseSshSig('{base64}'); \
                 return [await sshSigVerifies(sig, encoder.encode('{text}')), sig.flags[0], sig.keyText, armored('{base64}')]; }})()"
            )
        };
        let good = page.eval(&checks("jit = 1\\n"));
        assert_eq!(good, json!([true, flags, place.public_key(&name), armor]), "{options:?}");
        assert_eq!(page.eval(&checks("jit = 2\\n"))[0], false);
        // Nobody can claim a touch afterwards: the flags are signed.
        let claimed = format!(
            "(async () => {{ const sig = parseSshSig('{base64}'); sig.flags = sig.flags.slice(); sig.flags[0] ^= 5; \
             return sshSigVerifies(sig, encoder.encode('jit = 1\\n')); }})()"
        );
        assert_eq!(page.eval(&claimed), false);
    }
}

/// Ten thousand cases: copies of one, so nothing of them can be good; that they are listed, found and paged is what counts.
#[test]
fn ten_thousand_cases_load_and_filter() {
    if absent("ten_thousand_cases_load_and_filter", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "page.html", &[]);
    let mut data = evidence(&file);
    let (events, cases) = (data["events"].as_array().unwrap().clone(), data["cases"].as_array().unwrap().clone());
    let case = &cases[1];
    let own: Vec<&Value> =
        events.iter().filter(|event| case["events"].as_array().unwrap().contains(&event[0])).collect();
    let (mut more, mut listed) = (events.clone(), cases.clone());
    for copy in 0..10_000_u64 {
        let mut one = case.clone();
        one["case"] = json!(format!("{copy:064x}"));
        let positions: Vec<u64> =
            (0..own.len()).map(|event| 1000 + copy * 16 + u64::try_from(event).unwrap()).collect();
        for (event, position) in own.iter().zip(&positions) {
            let text = event[1].as_str().unwrap().replace("INC-4711", &format!("INC-{copy}x"));
            more.push(json!([position, text, event[2], event[3]]));
        }
        one["events"] = json!(positions);
        listed.push(one);
    }
    data["events"] = json!(more);
    data["cases"] = json!(listed);
    let file = with_evidence(&place, &file, "many.html", &data);
    let mut browser = Browser::open();
    let mut page = browser.page(&file, "");
    let ready = page.until("document.documentElement.dataset.ready");
    page.eval("location.hash = '#/cases'");
    page.until("document.querySelector('#search')");
    assert_eq!(page.eval("document.querySelectorAll('table.cases tbody tr').length"), 50, "a page of them");
    let search = |words: &str| {
        format!(
            "(() => {{ const field = document.getElementById('search'); field.value = '{words}'; const began = performance.now(); \
             field.dispatchEvent(new Event('input')); return [document.querySelector('.count').textContent, performance.now() - began]; }})()"
        )
    };
    let mut slowest = 0.0_f64;
    for (words, expected) in
        [("inc-77x", 1), ("payments-db", 10_007), ("alice read-only", 10_002), ("zzz", 0), ("", 10_012)]
    {
        let said = page.eval(&search(words));
        assert!(said[0].as_str().unwrap().starts_with(&format!("{expected} of 10012 cases")), "{words:?}: {said}");
        slowest = slowest.max(said[1].as_f64().unwrap());
    }
    println!("ready after {ready} ms, slowest search {slowest:.1} ms, {} bytes", fs::metadata(&file).unwrap().len());
    page.eval("location.hash = '#/overview'");
    page.until("document.querySelector('.chart')");
    assert_eq!(page.eval("document.querySelectorAll('[data-state=good]').length"), 0, "copies are no evidence");
    assert!(page.told("Runtime.exceptionThrown").is_empty());
}

#[test]
fn it_is_readable_in_the_dark_and_narrow_and_on_paper() {
    if absent("it_is_readable_in_the_dark_and_narrow_and_on_paper", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = page(&place, &ledger, "page.html", &[]);
    let mut browser = Browser::open();
    let mut page = browser.page(&file, "");
    verdict(&mut page);
    let media = |kind: &str, scheme: &str| json!({ "media": kind, "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    let ground = "getComputedStyle(document.body).backgroundColor";
    let mut grounds = Vec::new();
    for (kind, scheme) in [("screen", "light"), ("screen", "dark"), ("print", "dark")] {
        page.call("Emulation.setEmulatedMedia", media(kind, scheme));
        grounds.push(page.eval(ground).as_str().unwrap().to_owned());
    }
    assert_eq!(grounds, ["rgb(251, 251, 249)", "rgb(20, 24, 28)", "rgb(255, 255, 255)"]);
    assert_eq!(page.eval("getComputedStyle(document.querySelector('nav')).display"), "none", "on paper");
    page.call("Emulation.setEmulatedMedia", media("screen", "light"));
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": false });
    page.call("Emulation.setDeviceMetricsOverride", phone);
    for view in ["overview", "cases", "timeline", "exceptions", "checks", "case/6dbulmjde6j277dv"] {
        page.eval(&format!("location.hash = '#/{view}'"));
        page.until("document.querySelector('main h2').innerText");
        let over = page.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(over.as_i64().unwrap() <= 0, "{view} is {over} px wider than a phone");
    }
    // Every chart has its numbers beside it, every field a name, every mark a word.
    page.eval("location.hash = '#/overview'");
    page.until("document.querySelector('.chart')");
    assert_eq!(page.eval("document.querySelectorAll('.chart svg[role=img][aria-label]').length"), 4);
    assert_eq!(page.eval("document.querySelectorAll('.chart table').length"), 4);
    page.eval("location.hash = '#/cases'");
    page.until("document.querySelector('#search')");
    assert_eq!(
        page.eval("[...document.querySelectorAll('input, select')].filter((field) => !field.labels.length).length"),
        0
    );
    assert_eq!(
        page.eval(
            "[...document.querySelectorAll('.mark')].filter((mark) => mark.textContent.trim().length < 3).length"
        ),
        0
    );
}

#[test]
fn a_checkpoint_is_checked_with_its_witnesses() {
    if absent("a_checkpoint_is_checked_with_its_witnesses", &NEEDS) {
        return;
    }
    let place = Place::new();
    let ledger = common::checkpointed::ledger(&place);
    let file = page(&place, &ledger, "page.html", &[]);
    let good = evidence(&file);
    let note = good["checkpoint"].as_str().expect("the page carries the checkpoint").to_owned();
    let lines: Vec<&str> = note.lines().collect();
    assert_eq!((lines[1], lines.len()), ("3", 6), "{note}");
    let another = |number: usize, text: String| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines[number] = text;
        json!(lines.join("\n") + "\n")
    };
    let mut browser = Browser::open();
    let mut look = |data: &Value| {
        let file = with_evidence(&place, &file, "looked.html", data);
        let mut page = browser.page(&file, "");
        let verdict = verdict(&mut page);
        page.eval("location.hash = '#/checks'");
        let text = page.until("document.querySelector('.parts') && document.querySelector('.parts').innerText");
        (verdict, text.as_str().unwrap().to_owned())
    };
    let (verdict, text) = look(&good);
    assert_eq!(verdict, "good", "{text}");
    assert!(text.contains("over 3 entries, cosigned by witness.example/w1 at 20"), "{text}");
    let flipped = |line: &str| {
        let at = line.len() - 10;
        [&line[..at], if &line[at..=at] == "A" { "B" } else { "A" }, &line[at + 1..]].concat()
    };
    for (what, note) in [
        ("another size", another(1, "2".into())),
        ("another root", another(2, flipped(lines[2]))),
        ("another signature", another(4, flipped(lines[4]))),
        ("no note", json!("nothing")),
    ] {
        let mut data = good.clone();
        data["checkpoint"] = note;
        let (verdict, text) = look(&data);
        assert_eq!(verdict, "bad", "{what}: {text}");
    }
    // A cosignature that does not hold is not counted; the log key's still stands.
    let mut data = good.clone();
    data["checkpoint"] = another(5, flipped(lines[5]));
    let (verdict, text) = look(&data);
    assert!(verdict == "good" && !text.contains("cosigned by"), "{text}");
}
