//! The JSON schema that editors are given: it knows what the reader knows.

use serde_json::Value;

use crate::right::DESIGN;
use crate::sandbox::Sandbox;

fn schema() -> Value {
    let ran = Sandbox::new().run(&["config", "schema"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Follows `$ref` and the one of `anyOf` and `allOf` that is of the value's type.
fn resolve<'s>(root: &'s Value, schema: &'s Value, value: &Value) -> Option<&'s Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return resolve(root, root.pointer(reference.trim_start_matches('#'))?, value);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            return choices.iter().find_map(|schema| resolve(root, schema, value));
        }
    }
    let wanted = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Null => "null",
    };
    let known = |kind: &Value| kind == wanted || (wanted == "integer" && kind == "number");
    let well = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(known),
        Some(kind) => known(kind),
        None => false,
    };
    let the = schema.get("const").is_none_or(|it| it == value);
    let among = schema.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(value));
    (well && the && among).then_some(schema)
}

/// Everything of the value that the schema does not know, by its path.
fn unknown(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(schema) = resolve(root, schema, value) else { return found.push(format!("{path}: {value}")) };
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let property = schema.get("properties").and_then(|properties| properties.get(key));
                let path = format!("{path}.{key}");
                match property.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
                {
                    Some(below) => unknown(root, below, value, &path, found),
                    None => found.push(path),
                }
            }
        }
        Value::Array(list) => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            list.iter()
                .enumerate()
                .for_each(|(n, value)| unknown(root, items, value, &format!("{path}[{n}]"), found));
        }
        _ => {}
    }
}

fn unknown_in(text: &str) -> Vec<String> {
    let root = schema();
    let mut found = Vec::new();
    unknown(&root, &root, &toml::from_str(text).unwrap(), "", &mut found);
    found
}

#[test]
fn the_schema_accepts_the_designs_example_and_every_key() {
    assert_eq!(unknown_in(DESIGN), [""; 0]);
    assert_eq!(unknown_in(include_str!("every-key.toml")), [""; 0]);
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let wrong = "[apps.web]\nimgae = \"a\"\nport = \"80\"\nrestart = \"always\"\nenv = { A = [1] }\n\
                 [registry.a]\npassword = \"literal\"\n";
    assert_eq!(
        unknown_in(wrong),
        [
            ".apps.web.env.A: [1]",
            ".apps.web.imgae",
            ".apps.web.port: \"80\"",
            ".apps.web.restart: \"always\"",
            ".registry.a.password: \"literal\"",
        ]
    );
}

#[test]
fn the_schema_says_what_must_be_there_and_describes_every_key() {
    let root = schema();
    assert_eq!(root["title"], "cutover.toml");
    let app = &root["$defs"]["App"];
    assert_eq!(app["then"]["required"], serde_json::json!(["image", "port"]));
    assert_eq!(app["if"]["not"]["required"], serde_json::json!(["compose"]));
    for (name, table) in root["$defs"].as_object().unwrap() {
        let Some(properties) = table["properties"].as_object() else { continue };
        assert_eq!(table["additionalProperties"], false, "{name}");
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{name}.{key} is not described");
        }
    }
}
