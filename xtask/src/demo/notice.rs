//! A message to Slack, as a person reads it.

use serde_json::Value;

/// The texts of a webhook's body: the notification's, then each block's, a line for each line of it.
pub(super) fn lines(body: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |text: Option<&str>| lines.extend(text.unwrap_or_default().lines().map(str::to_owned));
    add(body["text"].as_str());
    for block in body["blocks"].as_array().into_iter().flatten() {
        add(block["text"]["text"].as_str());
        for field in block["fields"].as_array().into_iter().flatten() {
            // A field is a title above a value: on one line they are read together.
            add(field["text"].as_str().map(|text| text.replacen('\n', " ", 1)).as_deref());
        }
        for element in block["elements"].as_array().into_iter().flatten() {
            add(element["text"].as_str());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn every_text_of_a_message_is_read_in_its_order() {
        let body = json!({
            "text": "web: 2 is live",
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": "deployed" } },
                { "type": "section", "fields": [{ "type": "mrkdwn", "text": "*Slot*\nblue → green" }] },
                { "type": "context", "elements": [{ "type": "mrkdwn", "text": "switch 1 ms" }] },
                { "type": "section", "text": { "type": "mrkdwn", "text": "*Next*\nrollback" } },
            ],
        });
        let expected =
            ["web: 2 is live", "deployed", "*Slot* blue → green", "switch 1 ms", "*Next*", "rollback"];
        assert_eq!(super::lines(&body), expected);
    }

    #[test]
    fn a_body_of_another_shape_has_no_texts() {
        assert!(super::lines(&json!("ok")).is_empty());
    }
}
