//! Settings as the text of a file.

use std::fmt::Write as _;

use toml::Value;

/// Sections with their texts, below lines that say what the file is. A section without a name comes first.
pub fn settings_text(head: &str, sections: &[(&str, Vec<(&str, String)>)]) -> String {
    let mut text = String::new();
    for line in head.lines() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}", line.replace(char::is_control, " "));
    }
    for (section, entries) in sections {
        let _ = if section.is_empty() { Ok(()) } else { write!(text, "\n[{section}]\n") };
        for (key, value) in entries {
            let _ = writeln!(text, "{key} = {}", Value::from(value.as_str()));
        }
    }
    text
}
