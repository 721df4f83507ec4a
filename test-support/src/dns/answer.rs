use hickory_proto::{
    op::{Message, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};

use super::{Mood, Question, zone::Zone};

/// Over UDP, unless the question says otherwise.
const LONGEST_DATAGRAM: u16 = 512;
/// A server does not follow aliases for ever.
const MOST_ALIASES: usize = 16;

impl Zone {
    /// The bytes of the answer to these bytes, if there is to be an answer.
    pub(super) fn answer(&mut self, question: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let asked = Message::from_vec(question).ok()?;
        let query = asked.queries.first()?.clone();
        self.questions.push(Question {
            name: query.name().to_lowercase().to_string(),
            kind: query.query_type().to_string(),
            tcp,
        });
        let mood = self.mood(query.query_type());
        let mut answer = self.honest(&asked, &query);
        match mood {
            Mood::Silent => return None,
            Mood::Garbage => return Some(garbage(question)),
            Mood::Loop => return Some(looping(question)),
            Mood::Honest | Mood::Truncated | Mood::Overcount => {}
            Mood::WrongId => answer.metadata.id = answer.metadata.id.wrapping_add(1),
            Mood::Empty => empty(&mut answer, ResponseCode::NoError),
            Mood::NxDomain => empty(&mut answer, ResponseCode::NXDomain),
            Mood::ServFail => empty(&mut answer, ResponseCode::ServFail),
            Mood::Refused => empty(&mut answer, ResponseCode::Refused),
        }
        let mut bytes = answer.to_vec().unwrap();
        if !tcp && (mood == Mood::Truncated || bytes.len() > longest(&asked)) {
            empty(&mut answer, ResponseCode::NoError);
            answer.metadata.truncation = true;
            bytes = answer.to_vec().unwrap();
        }
        if mood == Mood::Overcount {
            // The count of answers.
            bytes[6..8].copy_from_slice(&u16::MAX.to_be_bytes());
        }
        Some(bytes)
    }

    fn honest(&self, asked: &Message, query: &Query) -> Message {
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        answer.metadata.authoritative = true;
        answer.metadata.recursion_desired = asked.metadata.recursion_desired;
        answer.add_query(query.clone());
        let mut name = query.name().clone();
        for _ in 0..MOST_ALIASES {
            let Some(records) = self.of(&name) else {
                if answer.answers.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                break;
            };
            let of_kind = |record: &&Record| record.record_type() == query.query_type();
            answer.add_answers(records.iter().filter(of_kind).cloned());
            let alias = records.iter().find_map(|record| match &record.data {
                RData::CNAME(target) => Some((record, target.0.clone())),
                _ => None,
            });
            let Some((record, target)) = alias else { break };
            if query.query_type() == RecordType::CNAME {
                break;
            }
            answer.add_answer(record.clone());
            if !self.follows_aliases {
                break;
            }
            name = target;
        }
        if self.targets_along {
            let along = targets(&answer).into_iter();
            let along = along.filter_map(|target| self.of(&target)).flatten();
            answer.add_additionals(along.cloned());
        }
        answer
    }
}

fn targets(answer: &Message) -> Vec<Name> {
    let targets = answer
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(srv.target.clone()),
            _ => None,
        });
    targets.collect()
}

fn longest(asked: &Message) -> usize {
    let said = asked.edns.as_ref().map(|edns| edns.max_payload());
    said.unwrap_or(LONGEST_DATAGRAM).into()
}

fn empty(answer: &mut Message, code: ResponseCode) {
    answer.answers.clear();
    answer.additionals.clear();
    answer.metadata.response_code = code;
}

fn garbage(question: &[u8]) -> Vec<u8> {
    let mut bytes = question[..2].to_vec();
    bytes.resize(200, 0xff);
    bytes
}

/// An answer whose only record has a name that points at itself.
fn looping(question: &[u8]) -> Vec<u8> {
    let header = 12;
    let name = question[header..]
        .iter()
        .position(|byte| *byte == 0)
        .unwrap()
        + 1;
    let mut bytes = question[..header + name + 4].to_vec();
    // A response, with one question and one answer.
    bytes[2..12].copy_from_slice(&[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    let here = u16::try_from(bytes.len()).unwrap() | 0xc000;
    bytes.extend(here.to_be_bytes());
    // A, IN, a time to live of a minute, four bytes.
    bytes.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    bytes
}
