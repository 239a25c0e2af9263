// c ;
/* ; */ :begin
CREATE (n {a:"x;", `b;`:'y'});;
:commit
:param x => 1
