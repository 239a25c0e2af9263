//! What kind of thing a statement of a schema makes. SQLite reads the first statement of a schema's row and does not mind
//! what stands behind it; running it again would run that as well.

use super::catalog::Kind;

enum Token<'a> {
    Word(&'a str),
    Semicolon,
    Other,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w.eq_ignore_ascii_case(word))
    }
}

/// What a statement makes; `None` when it is not one single `CREATE` statement.
pub(super) fn makes(sql: &str) -> Option<Kind> {
    let tokens = tokens(sql);
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|t| t.is(word));
    if !word(0, "CREATE") {
        return None;
    }
    let kind = if word(1, "TABLE") {
        Kind::Table
    } else if word(1, "VIRTUAL") && word(2, "TABLE") {
        Kind::VirtualTable
    } else if word(1, "INDEX") || (word(1, "UNIQUE") && word(2, "INDEX")) {
        Kind::Index
    } else if word(1, "VIEW") {
        Kind::View
    } else if word(1, "TRIGGER") {
        Kind::Trigger
    } else {
        return None;
    };
    let end = if kind == Kind::Trigger {
        // No statement within a trigger begins with END.
        tokens.windows(2).position(|w| matches!(w, [Token::Semicolon, end] if end.is("END")))? + 2
    } else {
        tokens.iter().position(|t| matches!(t, Token::Semicolon)).unwrap_or(tokens.len())
    };
    tokens.get(end..)?.iter().all(|t| matches!(t, Token::Semicolon)).then_some(kind)
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        // A doubled quote reads as two quoted texts, one after the other: no harm here.
        let quoted = |close: char| rest[1..].find(close).map_or(rest.len(), |at| at + 2);
        let (token, length) = match first {
            _ if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            _ if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |at| at + 4)),
            '\'' | '"' | '`' => (Some(Token::Other), quoted(first)),
            '[' => (Some(Token::Other), quoted(']')),
            ';' => (Some(Token::Semicolon), 1),
            c if in_word(c) => {
                let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                (Some(Token::Word(&rest[..length])), length)
            }
            c if c.is_ascii_whitespace() => (None, 1),
            c => (Some(Token::Other), c.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    tokens
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_of_each_kind() {
        for (sql, kind) in [
            ("CREATE TABLE t(a TEXT DEFAULT ';', b -- ;\n, c /* ; */)", Kind::Table),
            ("CREATE TABLE \"a;\"\"b\"([c;d], `e;f`);", Kind::Table),
            ("create unique index i on t(a)", Kind::Index),
            ("CREATE VIEW v AS SELECT ';' FROM t", Kind::View),
            ("CREATE VIRTUAL TABLE f USING fts5(a)", Kind::VirtualTable),
            (
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; UPDATE t SET a = 1; END",
                Kind::Trigger,
            ),
            ("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;", Kind::Trigger),
        ] {
            assert_eq!(makes(sql), Some(kind), "{sql}");
        }
    }

    #[test]
    fn anything_behind_it_is_seen() {
        for sql in [
            "",
            "DROP TABLE t",
            "CREATE TABLE t(a); DROP TABLE version_registry",
            "CREATE VIEW v AS SELECT 1; COMMIT",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; COMMIT; DROP TABLE t",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END COMMIT",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1",
            "CREATE TABLE t(a) /* ; */ ; -- ;\n SELECT 1",
        ] {
            assert_eq!(makes(sql), None, "{sql}");
        }
    }
}
