//! `HOW-TO-CHECK.txt`: how the bundle is checked with tools that are not ours. The commands in it are typed by strangers
//! years later; `tests/bundle.rs` runs them as they stand.

use super::Evidence;
use crate::domain::text::visible;

const TEXT: &str = include_str!("how-to-check.txt");

const NO_CHECKPOINT: &str = "
6. THE CHECKPOINT

This ledger has none: no key vouches for its root, so compare it with somebody else's.
";

const CHECKPOINT: &str = r#"
6. THE CHECKPOINT IS THE LOG KEY'S, AND OF THIS LOG

checkpoint.txt is a C2SP checkpoint: whose log, how many entries, their root; then the signatures, of the log key and of
whoever witnessed it. The root must follow from the same tree:

```
size=$(sed -n 2p checkpoint.txt)
[ "$(root "$size")" = "$size $(sed -n 3p checkpoint.txt | base64 -d | od -An -v -tx1 | tr -d ' \n')" ] &&
  echo "ok 6: the checkpoint's root over $size entries" || echo "BAD checkpoint: another root"
```

The signature, with OpenSSL 3: the log key stands in the policy; what is signed are the lines before the empty one.

```
new=$(mktemp -d)
policy=policies/$(tail -n 1 policies.txt | cut -d ' ' -f 1)/policy.toml
key=$(awk '/^\[/ { log_ = ($1 == "[log]") } log_ && $1 == "key" { gsub(/"/, ""); print $4; exit }' "$policy")
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; printf %s "$key" | base64 -d | tail -c 32; } > "$new/key"
sed '/^$/,$d' checkpoint.txt > "$new/text"
origin=$(sed -n 1p checkpoint.txt)
sed '1,/^$/d' checkpoint.txt | grep -F "— $origin " | head -n 1 | cut -d ' ' -f 3 | base64 -d | tail -c 64 > "$new/signature"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$new/key" -rawin -in "$new/text" -sigfile "$new/signature" > /dev/null 2>&1 &&
  echo "ok 6: signed by the log key" || echo "BAD checkpoint: not signed by the log key of $policy"
rm -r "$new"
```
"#;

/// The text for these cases.
pub fn text(evidence: &Evidence<'_>) -> String {
    let section = if evidence.checkpoint.is_some() { CHECKPOINT } else { NO_CHECKPOINT };
    TEXT.replace("{{checkpoint}}\n", section)
        .replace("{{what}}", &evidence.query.words())
        .replace("{{name}}", &visible(evidence.ledger.name()))
}
