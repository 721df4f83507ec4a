@0xd6f3a1c5e0b94a27;

struct Record {
  id @0 :UInt64;
  name @1 :Text;
  tags @2 :List(Text);
  salary @3 :Float64;
  active @4 :Bool;
}

# Gives back what it gets.
interface Echo {
  small @0 (value :Record) -> (value :Record);
  blob @1 (value :Data) -> (value :Data);
  pause @2 (micros :UInt64) -> ();
}
