namespace rs echo

struct Record {
    1: required i64 id,
    2: required string name,
    3: required list<string> tags,
    4: required double salary,
    5: required bool active,
}

// Gives back what it gets.
service Echo {
    Record small(1: Record value),
    binary blob(1: binary value),
    void pause(1: i64 micros),
}
