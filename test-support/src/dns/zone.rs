use std::collections::HashMap;

use hickory_proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{A, AAAA, CNAME, SRV},
};

use super::{Mood, Question};

/// What a name server knows, how it answers, and what it was asked.
#[derive(Debug)]
pub(super) struct Zone {
    records: HashMap<Name, Vec<Record>>,
    mood: Mood,
    moods: HashMap<RecordType, Mood>,
    pub(super) targets_along: bool,
    pub(super) follows_aliases: bool,
    pub(super) questions: Vec<Question>,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            records: HashMap::new(),
            mood: Mood::Honest,
            moods: HashMap::new(),
            targets_along: false,
            follows_aliases: true,
            questions: Vec::new(),
        }
    }
}

impl Zone {
    pub(super) fn set<R: AsRef<str>>(
        &mut self,
        name: &str,
        ttl: u32,
        records: impl IntoIterator<Item = R>,
    ) {
        let name: Name = name.parse().unwrap();
        assert!(name.is_fqdn(), "a name ends with a dot: {name}");
        let records = records.into_iter().map(|record| {
            let data = data(record.as_ref());
            Record::from_rdata(name.clone(), ttl, data)
        });
        let records = records.collect();
        self.records.insert(name, records);
    }

    pub(super) fn becomes(&mut self, mood: Mood) {
        self.mood = mood;
    }

    pub(super) fn becomes_for(&mut self, kind: &str, mood: Mood) {
        self.moods.insert(kind.parse().unwrap(), mood);
    }

    pub(super) fn mood(&self, kind: RecordType) -> Mood {
        self.moods.get(&kind).copied().unwrap_or(self.mood)
    }

    /// The records of a name, if there is such a name.
    pub(super) fn of(&self, name: &Name) -> Option<&Vec<Record>> {
        self.records.get(name)
    }
}

fn data(text: &str) -> RData {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["A", ip] => RData::A(A(ip.parse().unwrap())),
        ["AAAA", ip] => RData::AAAA(AAAA(ip.parse().unwrap())),
        ["CNAME", name] => RData::CNAME(CNAME(name.parse().unwrap())),
        ["SRV", priority, weight, port, target] => RData::SRV(SRV::new(
            priority.parse().unwrap(),
            weight.parse().unwrap(),
            port.parse().unwrap(),
            target.parse().unwrap(),
        )),
        _ => panic!("no record: {text}"),
    }
}
