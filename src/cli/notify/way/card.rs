//! The bodies for chat: Slack's `text` and `blocks` for incoming webhooks, and an Adaptive Card in the message that a Teams
//! workflow takes ("when a Teams webhook request is received"). What people wrote is never read as markup: in Slack it stands
//! in `plain_text`, and where there is only mrkdwn `&`, `<` and `>` are escaped, so that nothing becomes a mention or a link;
//! in Teams it stands in text runs, which know no Markdown.

use serde_json::{Value, json};

use crate::monitor::notify::Notice;
use crate::monitor::text::clipped;

/// The most characters of a section's text in Slack are 3000.
const SECTION: usize = 2900;
/// The most characters of a line in a card.
const LINE: usize = 1000;

/// Slack's control characters in mrkdwn, and nothing else, as its documentation has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The body for Slack.
pub fn slack(notice: &Notice, ledger: &str) -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": clipped(text, SECTION), "emoji": false });
    let mut blocks = vec![json!({ "type": "section", "text": plain(&notice.title) })];
    if !notice.lines.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(&notice.lines.join("\n")) }));
    }
    if let Some(command) = &notice.command {
        // Ours, but for names, which hold no markup; a backtick would end it.
        let command = escaped(&command.replace('`', "'"));
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("`{command}`") } }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&people(notice, ledger))] }));
    // The text of the little window; everything that mrkdwn would read is escaped.
    json!({ "text": escaped(&clipped(&notice.title, SECTION)), "blocks": blocks })
}

/// The body for Teams.
pub fn teams(notice: &Notice, ledger: &str) -> Value {
    let run = |text: &str, style: Value| {
        let mut run = json!({ "type": "TextRun", "text": clipped(text, LINE) });
        if let (Some(run), Some(style)) = (run.as_object_mut(), style.as_object()) {
            run.extend(style.clone());
        }
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let mut body = vec![run(&notice.title, json!({ "weight": "Bolder", "size": "Medium" }))];
    body.extend(notice.lines.iter().map(|line| run(line, json!({}))));
    body.extend(notice.command.iter().map(|command| run(command, json!({ "fontType": "Monospace" }))));
    body.push(run(&people(notice, ledger), json!({ "isSubtle": true, "size": "Small" })));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

fn people(notice: &Notice, ledger: &str) -> String {
    let names: Vec<&str> = notice.to.iter().map(|name| name.as_str()).collect();
    format!("For {} · {ledger}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_wrote_is_markup_in_slack() {
        assert_eq!(escaped("<!channel> & <https://a|b>"), "&lt;!channel&gt; &amp; &lt;https://a|b&gt;");
    }
}
