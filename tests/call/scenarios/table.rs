//! The table: which calls there are, and what is seen of them.

use doge_rpc::{
    Criticality, Disposition,
    call::{CancelReason, Cancellation, Route},
    prelude::*,
    schema::Encoding,
    wire,
};

use super::{
    actor::{Act, User, full},
    scenario::{Call, HASTY, Scenario},
    seen::{End, HandlerEnd, LayerSaw, PAST_DEADLINE, Place, Seen, StatusParts, entry, stopped},
};
use crate::common::LIMIT;

/// All calls.
pub(super) fn scenarios() -> Vec<Scenario> {
    [
        answers(),
        failures(),
        requests(),
        stops(),
        layers(),
        nested(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Calls that are answered with a value.
fn answers() -> Vec<Scenario> {
    let reply = |act| Act::Reply(Box::new(act));
    let served_by = |seen: &mut Seen| seen.reply = vec![entry("served-by", "first")];
    vec![
        Scenario::act("a value", Act::Answer, value("done")),
        Scenario::bare(
            "a value of a method with bare statuses",
            Act::Answer,
            value("done"),
        ),
        Scenario::act("metadata of a value", reply(Act::Answer), value("done")).seen(served_by),
        Scenario::act("metadata of an error", reply(Act::Tire), error("Tired")).seen(served_by),
        Scenario::new(
            "a large body",
            Call::Echo(1 << 20),
            value("1048576 bytes, true"),
        ),
    ]
}

/// Calls whose handler fails.
fn failures() -> Vec<Scenario> {
    let everything = || End::Status(StatusParts::from(&full()));
    let panicked = || status(Code::Internal, "the handler panicked");
    let panics = |seen: &mut Seen| seen.first_handler().end = HandlerEnd::Panicked;
    let db_token = |seen: &mut Seen| seen.reply = vec![entry("db-token", "secret")];
    let both = |seen: &mut Seen| {
        let both = [entry("db-token", "secret"), entry("served-by", "first")];
        seen.caller.status().metadata = both.to_vec();
        seen.first_layer().end.status().metadata = both.to_vec();
        seen.reply = both.to_vec();
    };
    vec![
        Scenario::act(
            "an error of the application",
            Act::Refuse,
            error("no, 3 times"),
        ),
        Scenario::act("an error without fields", Act::Tire, error("Tired")),
        Scenario::act("a status in an error enum", Act::Fail, everything()).seen(db_token),
        Scenario::bare("a bare status", Act::Fail, everything()).seen(db_token),
        Scenario::bare(
            "a bare status with metadata of the answer",
            Act::Reply(Box::new(Act::Fail)),
            everything(),
        )
        .seen(both),
        Scenario::act(
            "a status in an error enum with metadata of the answer",
            Act::Reply(Box::new(Act::Fail)),
            everything(),
        )
        .seen(both),
        Scenario::act(
            "a status with the code that is no error",
            Act::FailWithOk,
            status(Code::Unknown, "fine"),
        ),
        Scenario::act("a panic at once", Act::PanicAtOnce, panicked()).seen(panics),
        Scenario::act("a panic later", Act::PanicLater, panicked()).seen(panics),
        Scenario::new(
            "a result over a limit of values",
            Call::List((1 << 20) + 1),
            status(
                Code::ResourceExhausted,
                &format!("the answer of call.actor/list {OVER_LIMIT}"),
            ),
        ),
    ]
}

const OVER_LIMIT: &str = "has more than 1048576 elements in its lists and maps (an entry of a map is two): page the list or \
                          split the call, and give bytes a type that serialises as bytes";

/// Calls of which no handler runs.
fn requests() -> Vec<Scenario> {
    let nothing =
        "service call.actor has no method \"nothing\"; it has act, bare, echo, list, count";
    let rejected = |code, text: &str| {
        let status = Status::new(code, text.to_owned());
        End::Status(StatusParts::from(&status.rejected()))
    };
    // A caller without types has the error as it came, too.
    let has_details = |seen: &mut Seen| {
        let told = seen.caller.status();
        told.details = wire::encode(&told.message, Encoding::Map).unwrap();
    };
    vec![
        Scenario::new(
            "arguments over a limit of values",
            Call::Count((1 << 20) + 1),
            End::Status(StatusParts::from(
                &Status::invalid_argument(format!("the call {OVER_LIMIT}")).not_sent(),
            )),
        )
        .seen(|seen| {
            seen.layers.clear();
            seen.handlers.clear();
        }),
        Scenario::new(
            "a method that there is not",
            Call::Nothing,
            rejected(Code::Unimplemented, nothing),
        )
        .seen(|seen| {
            seen.layers.clear();
            seen.handlers.clear();
        })
        // There is no server in front of the layers that knows the methods.
        .local(|seen| {
            let mut saw = LayerSaw::new("nothing", seen.caller.clone());
            saw.peer = None;
            seen.layers.insert(Place::First, saw);
        })
        .doge(has_details),
        Scenario::new(
            "an argument of another type",
            Call::WrongArgument,
            rejected(
                Code::InvalidArgument,
                "call.actor/count: argument `list`: invalid type: string \"many\", expected a sequence",
            ),
        )
        .seen(|seen| seen.handlers.clear())
        .doge(has_details),
        Scenario::new(
            "a missing argument",
            Call::MissingArgument,
            rejected(
                Code::InvalidArgument,
                "call.actor/bare: argument `act` is missing",
            ),
        )
        .seen(|seen| seen.handlers.clear())
        .doge(has_details),
    ]
}

/// Calls that are stopped while their handler runs.
fn stops() -> Vec<Scenario> {
    vec![
        Scenario::act("the deadline passes", Act::Hang, no_answer())
            .until_deadline()
            // The layers have an answer for the caller by then.
            .local(|seen| seen.caller = stopped("act", &PAST_DEADLINE)),
        Scenario::act(
            "a deadline that the layer makes nearer passes",
            Act::Hang,
            status(
                Code::DeadlineExceeded,
                "call.actor/act was stopped: the deadline passed",
            ),
        )
        .layer(|request| {
            request.shorten_deadline(Deadline::after(HASTY));
            Ok(())
        })
        .stopped(&PAST_DEADLINE)
        .seen(|seen| seen.first_handler().is_hurried = true)
        // Of dispositions, no more travels than that a call never ran.
        .local(|seen| seen.caller.status().disposition = Disposition::MayHaveRun),
        Scenario::act("the caller drops the call", Act::Hang, End::Dropped)
            .dropped()
            .stopped(&Cancellation::new(CancelReason::CallerGone, "ADDRESS"))
            .local(Seen::is_dropped)
            .doge(|seen| seen.is_stopped(&hung_up())),
    ]
}

/// Calls that the layer refuses or changes.
fn layers() -> Vec<Scenario> {
    vec![
        Scenario::act(
            "the layer refuses",
            Act::Answer,
            status(Code::Unauthenticated, "no token"),
        )
        .layer(|_| Err(Status::unauthenticated("no token")))
        .seen(|seen| {
            // That no handler was started is known outside of the layer.
            seen.caller.status().disposition = Disposition::Rejected;
            seen.handlers.clear();
        })
        // Within the process, nobody is there.
        .local(|seen| seen.caller.status().disposition = Disposition::Answered),
        Scenario::act(
            "the layer panics",
            Act::Answer,
            status(Code::Internal, "the handler panicked"),
        )
        .layer(|_| panic!("in a layer"))
        .seen(|seen| {
            seen.first_layer().end = End::Dropped;
            seen.handlers.clear();
        }),
        Scenario::act(
            "the layer hands on the status of a call that it made",
            Act::Answer,
            status(Code::Unavailable, "auth/check: the database is away"),
        )
        .layer(|_| Err(full().received_from(&Route::named("auth", "check")?)))
        .seen(|seen| {
            let told = seen.caller.status();
            (told.disposition, told.is_passed_on) = (Disposition::Rejected, true);
            seen.first_layer().end = End::Status(StatusParts::from(&full()));
            seen.handlers.clear();
        })
        // Within the process the caller is the one for whom the layer made its call.
        .local(|seen| {
            seen.caller = End::Status(StatusParts::from(&full()));
            seen.reply = vec![entry("db-token", "secret")];
        }),
        Scenario::act(
            "the layer sets metadata, an extension and a nearer deadline",
            Act::Nest(Box::new(Act::Answer)),
            value("done"),
        )
        .layer(|request| {
            request.metadata_mut().insert("user", "ada").unwrap();
            request.extensions_mut().insert(User("ada"));
            request.shorten_deadline(Deadline::after(LIMIT / 2));
            Ok(())
        })
        .nested(value(""))
        .seen(|seen| {
            let user = vec![entry("user", "ada")];
            seen.second_layer().metadata.clone_from(&user);
            for handler in seen.handlers.values_mut() {
                handler.metadata.clone_from(&user);
                handler.is_hurried = true;
            }
            // It does not leave the process.
            seen.first_handler().user = Some("ada");
        })
        .local(|seen| seen.second_handler().user = Some("ada")),
    ]
}

/// Calls whose handler calls another service.
fn nested() -> Vec<Scenario> {
    let nest = |act| Act::Nest(Box::new(act));
    let handed_on = |code, message: &str| {
        let status = Status::new(code, message.to_owned());
        End::Status(StatusParts::from(&status.with_passed_on(true)))
    };
    let everything = || End::Status(StatusParts::from(&full()));
    vec![
        Scenario::act("what the caller sends", nest(Act::Answer), value("done"))
            .options(|options| {
                let options = options.criticality(Criticality::SheddablePlus);
                let options = options.credentials("Bearer ada").unwrap();
                let options = options.metadata("hop-token", "secret").unwrap();
                options.metadata("tenant", "acme").unwrap()
            })
            .nested(value(""))
            .seen(|seen| {
                let first = [
                    entry("authorization", "Bearer ada"),
                    entry("hop-token", "secret"),
                    entry("tenant", "acme"),
                ];
                seen.first_layer().metadata = first.to_vec();
                seen.first_handler().metadata = first.to_vec();
                seen.second_layer().metadata = vec![entry("tenant", "acme")];
                seen.second_handler().metadata = vec![entry("tenant", "acme")];
                seen.set_criticality(Criticality::SheddablePlus);
            })
            // Its meta map has no place for that.
            .doge(|seen| seen.set_criticality(Criticality::default())),
        Scenario::act(
            "a status is handed on",
            nest(Act::Fail),
            handed_on(Code::Unavailable, "call.actor/bare: the database is away"),
        )
        .nested(everything())
        .doge(Seen::passes_text_on),
        Scenario::act(
            "a status is handed on that its handler asked to be forwarded",
            nest(Act::FailForward),
            handed_on(Code::Unavailable, "call.actor/bare: the database is away"),
        )
        .nested(everything())
        .doge(Seen::passes_text_on),
        Scenario::act(
            "a status is forwarded",
            Act::Forward(Box::new(Act::Fail)),
            End::Status(StatusParts {
                message: "call.actor/bare: the database is away".to_owned(),
                is_passed_on: true,
                ..StatusParts::from(&full())
            }),
        )
        .nested(everything())
        .seen(|seen| seen.reply = vec![entry("db-token", "secret")])
        .doge(Seen::passes_text_on),
        Scenario::act(
            "the second handler panics",
            nest(Act::PanicLater),
            handed_on(Code::Internal, "call.actor/bare: the handler panicked"),
        )
        .nested(status(Code::Internal, "the handler panicked"))
        .seen(|seen| seen.second_handler().end = HandlerEnd::Panicked)
        .doge(Seen::passes_text_on),
        Scenario::act(
            "the deadline passes in the second handler",
            nest(Act::Hang),
            no_answer(),
        )
        .nested(no_answer())
        .until_deadline()
        // One clock for both calls: the inner one is over first, and the outer handler hands that on.
        .local(|seen| {
            seen.caller = handed_on_deadline();
        }),
        Scenario::act(
            "the caller drops a call whose handler waits for the second",
            nest(Act::Hang),
            End::Dropped,
        )
        .nested(End::Dropped)
        .dropped()
        .stopped(&Cancellation::new(CancelReason::CallerGone, "ADDRESS"))
        .seen(|seen| {
            let chain = "ADDRESS: call.actor/act: ADDRESS";
            let why = Cancellation::new(CancelReason::CallerGone, chain);
            seen.second_layer().end = stopped("bare", &why);
            seen.second_handler().end = HandlerEnd::stopped(&why);
        })
        .local(Seen::is_dropped)
        .doge(|seen| seen.is_stopped(&hung_up())),
    ]
}

/// What a server of MessagePack-RPC knows when the caller gives its call up.
fn hung_up() -> Cancellation {
    Cancellation::new(CancelReason::ConnectionLost, "ADDRESS hung up")
}

/// A deadline that passed at the caller.
fn no_answer() -> End {
    let why = "call.actor/act at ADDRESS: no answer within TIME";
    End::Status(StatusParts::from(
        &Status::deadline_exceeded(why).may_have_run(),
    ))
}

fn handed_on_deadline() -> End {
    let why = "call.actor/bare was stopped: the deadline passed";
    End::Status(StatusParts::from(
        &Status::deadline_exceeded(why).with_passed_on(true),
    ))
}

fn value(text: &str) -> End {
    End::Value(text.to_owned())
}

fn error(text: &str) -> End {
    End::Error(text.to_owned())
}

/// A status that its handler made.
fn status(code: Code, message: &str) -> End {
    End::Status(StatusParts::answered(code, message))
}
