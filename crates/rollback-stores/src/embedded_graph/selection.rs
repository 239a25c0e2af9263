//! How SQL selects staging nodes.

/// The ids of all staging nodes: `?1` is a JSON list of labels, `?2` one of id suffixes.
macro_rules! with_staging {
    ($statement:expr) => {
        concat!(
            "WITH staging(id) AS (
               SELECT node_id FROM node_labels WHERE label IN (SELECT value FROM json_each(?1))
               UNION
               SELECT n.id FROM json_each(?2) AS s CROSS JOIN nodes AS n
               WHERE substr(n.id_text, -length(s.value)) = s.value
                  OR substr(n.chunk_id_text, -length(s.value)) = s.value
                  OR substr(n.paragraph_id_text, -length(s.value)) = s.value
             ) ",
            $statement
        )
    };
}
