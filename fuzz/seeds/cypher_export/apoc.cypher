:begin
CREATE FULLTEXT INDEX small_ft FOR (n:Paragraph) ON EACH [n.`text`];
CREATE CONSTRAINT small_chunk FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE;
CREATE CONSTRAINT UNIQUE_IMPORT_NAME FOR (node:`UNIQUE IMPORT LABEL`) REQUIRE (node.`UNIQUE IMPORT ID`) IS UNIQUE;
:commit
CALL db.awaitIndexes(300);
:begin
UNWIND [{chunk_id:"c0", properties:{page:1, flag:true, bounds:[1.0, 2.5, 1.0E-7, -Infinity], text:"a \"b\"; // no\nl \\ \u0041 🙂"}}, {chunk_id:"c1", properties:{d:date('2024-01-02'), `odd ``k`:null}}] AS row
CREATE (n:Paragraph{chunk_id: row.chunk_id}) SET n += row.properties;
UNWIND [{_id:7, properties:{at:point({x: 1.5, y: 2.5}), dur:duration("P1D"), empty:[]}}] AS row
CREATE (n:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row._id}) SET n += row.properties SET n:Book:`odd label`;
:commit
:begin
UNWIND [{start: {_id:7}, end: {chunk_id:"c0"}, properties:{order:3}}] AS row
MATCH (start:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row.start._id})
MATCH (end:Paragraph{chunk_id: row.end.chunk_id})
CREATE (start)-[r:HAS_PARAGRAPH]->(end) SET r += row.properties;
:commit
:begin
MATCH (n:`UNIQUE IMPORT LABEL`)  WITH n LIMIT 20000 REMOVE n:`UNIQUE IMPORT LABEL` REMOVE n.`UNIQUE IMPORT ID`;
:commit
:begin
DROP CONSTRAINT UNIQUE_IMPORT_NAME;
:commit
