//! Statements that make a constraint or an index, taken apart as far as two of them can be compared.

use std::ops::Range;

/// What a constraint or an index is about. Two with an equal key cannot stand beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaKey {
    /// `range` (uniqueness and key constraints rest on such an index), `fulltext`, `text`, `point`, `vector`, `lookup`,
    /// `existence`, `type`.
    kind: String,
    on_relationships: bool,
    labels: Vec<String>,
    properties: Vec<String>,
}

/// A statement `CREATE CONSTRAINT …` or `CREATE … INDEX …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaRule {
    pub(crate) key: SchemaKey,
    /// Its name, if the statement gives one.
    pub(crate) name: Option<String>,
    name_at: Option<Range<usize>>,
}

impl SchemaRule {
    /// `None` for text that is no such statement, or one of a syntax not known here.
    pub(crate) fn read(statement: &str) -> Option<Self> {
        let tokens = tokens(statement)?;
        let mut rest = tokens.iter().peekable();
        let mut take = |word: &str| rest.next_if(|token| token.is(word)).is_some();
        if !take("CREATE") {
            return None;
        }
        let constraint = take("CONSTRAINT");
        let kind = ["RANGE", "FULLTEXT", "TEXT", "POINT", "VECTOR", "LOOKUP", "BTREE"].iter().find(|kind| take(kind));
        let index = take("INDEX");
        if constraint && (kind.is_some() || index) || !constraint && !index {
            return None;
        }
        let name = rest.next_if(|token| token.name && !token.is("FOR") && !token.is("IF"));
        while rest.next_if(|token| ["IF", "NOT", "EXISTS"].iter().any(|word| token.is(word))).is_some() {}
        if !rest.next()?.is("FOR") {
            return None;
        }
        let rest: Vec<&Token> = rest.collect();
        let first = |what: &str| rest.iter().position(|token| token.is(what));
        let lookup = kind == Some(&"LOOKUP");
        let on_relationships = first("[").is_some_and(|bracket| lookup || Some(bracket) < first(":"));
        let (labels, body) = match first(":") {
            Some(colon) if !lookup => {
                let pattern_end = if on_relationships { "]" } else { ")" };
                let end = colon + rest[colon..].iter().position(|token| token.is(pattern_end))?;
                let mut labels: Vec<String> =
                    rest[colon..end].iter().filter(|token| token.name).map(|token| token.text.clone()).collect();
                labels.sort_unstable();
                (labels, &rest[end..])
            }
            None if lookup => (Vec::new(), &rest[..0]),
            _ => return None,
        };
        // A property may have any name, also that of a word.
        let word_at = |word: &str| {
            (1..body.len()).find(|&index| body[index].is(word) && !body[index - 1].is(".")).unwrap_or(body.len())
        };
        let body_end = word_at("OPTIONS");
        let rule = &body[word_at("IS").min(body_end)..body_end];
        let after_dot = body[..body_end].windows(2).filter(|pair| pair[0].is(".") && pair[1].name);
        let properties: Vec<String> = after_dot.map(|pair| pair[1].text.clone()).collect();
        if properties.is_empty() && !lookup {
            return None;
        }
        let says = |word: &str| rule.iter().any(|token| token.is(word));
        let kind = match kind {
            _ if constraint && (says("UNIQUE") || says("KEY")) => "range".to_owned(),
            _ if constraint && says("NULL") => "existence".to_owned(),
            _ if constraint => "type".to_owned(),
            Some(&"BTREE") | None => "range".to_owned(),
            Some(kind) => kind.to_ascii_lowercase(),
        };
        Some(Self {
            key: SchemaKey { kind, on_relationships, labels, properties },
            name: name.map(|token| token.text.clone()),
            name_at: name.map(|token| token.at.clone()),
        })
    }

    /// Label and properties, if nodes may be found by them: of a uniqueness or key constraint, or of a range index.
    pub(crate) fn into_node_key(self) -> Option<(String, Vec<String>)> {
        let SchemaKey { kind, on_relationships, mut labels, properties } = self.key;
        if kind != "range" || on_relationships || labels.len() != 1 {
            return None;
        }
        labels.pop().map(|label| (label, properties))
    }

    /// True for the index by which the server finds nodes by their label. It has one of itself.
    pub(crate) fn is_lookup(&self) -> bool {
        self.key.kind == "lookup"
    }
}

/// The statement as a line that compares: without a name that the server made up.
pub(crate) fn schema_line(statement: &str) -> String {
    let mut line = statement.trim().to_owned();
    if let Some(SchemaRule { name: Some(name), name_at: Some(at), .. }) = SchemaRule::read(&line)
        && is_made_up(&name)
    {
        let end = line[at.end..].find(|c: char| !c.is_whitespace()).map_or(at.end, |gap| at.end + gap);
        line.replace_range(at.start..end, "");
    }
    line
}

/// `constraint_8a3b12cd`, `index_1f`: what the server names what was given no name.
fn is_made_up(name: &str) -> bool {
    let hash = name.strip_prefix("constraint_").or_else(|| name.strip_prefix("index_"));
    hash.is_some_and(|hash| (1..=8).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A word, a name in backticks (undone), or one other character.
struct Token {
    text: String,
    /// It can be a name.
    name: bool,
    quoted: bool,
    at: Range<usize>,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(word)
    }
}

/// `None` when a name or string is not closed.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut token = Token { text: String::new(), name: false, quoted: false, at: start..start };
        match first {
            '`' | '"' | '\'' => {
                token.quoted = true;
                token.name = first == '`';
                loop {
                    let (_, c) = rest.next()?;
                    if c != first {
                        token.text.push(c);
                    } else if first == '`' && rest.next_if(|(_, next)| *next == '`').is_some() {
                        token.text.push('`');
                    } else {
                        break;
                    }
                }
            }
            c if is_word(c) => {
                token.name = true;
                token.text.push(c);
                while let Some((_, c)) = rest.next_if(|(_, c)| is_word(*c)) {
                    token.text.push(c);
                }
            }
            c => token.text.push(c),
        }
        token.at.end = rest.peek().map_or(text.len(), |(next, _)| *next);
        tokens.push(token);
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(statement: &str) -> SchemaKey {
        SchemaRule::read(statement).unwrap_or_else(|| panic!("{statement}")).key
    }

    #[test]
    fn the_exports_words_and_the_servers_say_the_same() {
        for (export, server) in [
            (
                "CREATE FULLTEXT INDEX small_ft FOR (n:Paragraph) ON EACH [n.`text`]",
                "CREATE FULLTEXT INDEX `small_ft` FOR (n:`Paragraph`) ON EACH [n.`text`] OPTIONS {indexConfig: \
                 {`fulltext.analyzer`: 'standard-no-stop-words'}, indexProvider: 'fulltext-1.0'}",
            ),
            (
                "CREATE RANGE INDEX FOR (n:Section) ON (n.title)",
                "CREATE RANGE INDEX `index_1b9dcc97` FOR (n:`Section`) ON (n.`title`)",
            ),
            (
                "CREATE CONSTRAINT small_chunk FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE",
                "CREATE CONSTRAINT `other` FOR (n:`Paragraph`) REQUIRE (n.`chunk_id`) IS UNIQUE OPTIONS {}",
            ),
            (
                "CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE n.chunk_id IS UNIQUE",
                "create index if not exists for (x:Paragraph) on (x.chunk_id)",
            ),
            (
                "CREATE FULLTEXT INDEX ft FOR (n:B|`a ``b`) ON EACH [n.x, n.`y.z`]",
                "CREATE FULLTEXT INDEX ft IF NOT EXISTS FOR (n:`a ``b`|`B`) ON EACH [n.`x`, n.`y.z`]",
            ),
            (
                "CREATE RANGE INDEX FOR ()-[r:NEXT]-() ON (r.weight)",
                "CREATE INDEX `FOR` FOR ()-[rel:`NEXT`]-() ON (rel.`weight`)",
            ),
        ] {
            assert_eq!(key(export), key(server), "{export}");
        }
    }

    #[test]
    fn what_differs_is_told_apart() {
        let all = [
            "CREATE INDEX FOR (n:A) ON (n.x)",
            "CREATE INDEX FOR (n:A) ON (n.y)",
            "CREATE INDEX FOR (n:A) ON (n.x, n.y)",
            "CREATE INDEX FOR (n:B) ON (n.x)",
            "CREATE INDEX FOR ()-[r:A]-() ON (r.x)",
            "CREATE TEXT INDEX FOR (n:A) ON (n.x)",
            "CREATE CONSTRAINT FOR (n:A) REQUIRE (n.x) IS NOT NULL",
            "CREATE LOOKUP INDEX FOR (n) ON EACH labels(n)",
        ];
        let keys: Vec<_> = all.iter().map(|statement| SchemaRule::read(statement).map(|rule| rule.key)).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{}", all[index]);
        }
        for text in [
            "",
            "DROP INDEX a",
            "CREATE (n:A)",
            "CREATE CONSTRAINT INDEX FOR (n:A) ON (n.x)",
            "CREATE INDEX `a",
            "CREATE INDEX FOR (n:A)",
        ] {
            assert_eq!(SchemaRule::read(text), None, "{text}");
        }
    }

    #[test]
    fn made_up_names_are_left_out_of_a_line() {
        assert_eq!(
            schema_line("CREATE RANGE INDEX `index_1b9dcc97` FOR (n:`A`) ON (n.`x`)"),
            "CREATE RANGE INDEX FOR (n:`A`) ON (n.`x`)"
        );
        for kept in ["CREATE RANGE INDEX `index_of_a` FOR (n:`A`) ON (n.`x`)", "CREATE INDEX FOR (n:A) ON (n.x)", "odd"]
        {
            assert_eq!(schema_line(kept), kept);
        }
    }
}
