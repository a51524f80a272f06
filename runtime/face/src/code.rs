//! The stable codes of errors, one table: when it comes, word, HTTP status, title, when to try again, what to do. The pages
//! of error codes are made of it.

use provost_domain::refusal::Refusal;

macro_rules! codes {
    ($(
        #[doc = $meaning:literal]
        $name:ident = ($word:literal, $status:literal, $title:literal $(, retry $seconds:literal)?, $advice:literal);
    )*) => {
        /// An error's stable code, the same in every face.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word at the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its HTTP status, which says to other faces, too, whose fault it is.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The code in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// When it comes.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning.trim(),)* }
            }

            /// What to do next.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }

            /// After how many seconds the same request may work.
            pub const fn retry_after(self) -> Option<u32> {
                match self { $(Self::$name => codes!(@retry $($seconds)?),)* }
            }
        }
    };
    (@retry) => { None };
    (@retry $seconds:literal) => { Some($seconds) };
}

codes! {
    /// No token, or one that is worth nothing.
    Unauthenticated = ("unauthenticated", 401, "a valid token is needed",
        "Send `Authorization: Bearer TOKEN`; an admin mints a token with `provost tokens create NAME --role ROLE`.");
    /// The token's role may not.
    Forbidden = ("forbidden", 403, "this token's role may not do that",
        "Use a token with a role that may, or ask somebody who has one; pages must be this server's own.");
    /// No such path.
    NoRoute = ("no_route", 404, "no such path",
        "Look the path up in `/openapi.json`.");
    /// No such thing.
    NotFound = ("not_found", 404, "nothing of that name",
        "Check the id or handle against the list it comes from.");
    /// The path knows other methods.
    MethodNotAllowed = ("method_not_allowed", 405, "the path does not take this method",
        "Look the path's methods up in `/openapi.json`.");
    /// A path, query, header or body that cannot be read.
    InvalidRequest = ("invalid_request", 400, "the request cannot be read",
        "Change what `detail` names; the same request will be refused again.");
    /// The body has another form than the path takes.
    InvalidBody = ("invalid_body", 422, "the body does not have the right form",
        "Compare the body with its schema in `/openapi.json`.");
    /// The body is no JSON by its content type.
    UnsupportedMediaType = ("unsupported_media_type", 415, "the body must be JSON",
        "Send `Content-Type: application/json`.");
    /// The body is too large.
    BodyTooLarge = ("body_too_large", 413, "the body is too large",
        "Send less: split the delivery, or leave long texts out.");
    /// The path is a WebSocket, and the request does not ask for one.
    UpgradeRequired = ("upgrade_required", 426, "the path is a WebSocket",
        "Open the path with a WebSocket client, or read `/v1/sessions/{session}/events` instead.");
    /// The request took too long.
    Timeout = ("timeout", 503, "the request took too long", retry 5,
        "Look whether it happened, then ask again; an `Idempotency-Key` makes that safe.");
    /// Too many requests by one token.
    RateLimited = ("rate_limited", 429, "too many requests", retry 1,
        "Slow down, and spread the requests.");
    /// A fault in this program.
    Internal = ("internal", 500, "a fault in this program",
        "Look into the log of the process at the time of the request and report it as a bug.");
    /// Someone carries the session.
    SessionBusy = ("session_busy", 429, "the session is busy", retry 1,
        "Wait and try again; `holder` and `since` say who carries it.");
    /// As many sessions are live as may be.
    SessionCapExceeded = ("session_cap_exceeded", 429, "too many sessions are live", retry 5,
        "Wait until a session ends, or raise the limit in the configuration.");
    /// No such pack.
    UnknownPack = ("unknown_pack", 404, "no pack of that name is loaded",
        "Use one of `packs`, or load the pack and reload the daemon.");
    /// The fields do not fit the pack.
    InvalidFields = ("invalid_fields", 422, "the fields do not fit the pack",
        "Correct each of `problems`; `/v1/packs` has the schema of the fields.");
    /// Stored, not yet applied.
    Pending = ("pending", 202, "stored, and will be applied",
        "Read the session that `Location` names until it is applied.");
    /// As many streams are open as may be.
    TooManyStreams = ("too_many_streams", 503, "too many streams are open", retry 10,
        "Close streams that nobody reads, then try again.");
    /// Something the server stands on does not work.
    NotReady = ("not_ready", 503, "not ready", retry 5,
        "See which of `checks` fails, then look into the log of the process.");
    /// As many deliveries wait as may.
    Saturated = ("saturated", 503, "too many deliveries wait", retry 5,
        "Try again later; senders that follow `Retry-After` lose nothing.");
    /// The process is ending.
    ShuttingDown = ("shutting_down", 503, "shutting down", retry 5,
        "Try again when the daemon has started again.");
    /// The session changed under the request.
    Stale = ("stale", 409, "the session changed meanwhile", retry 1,
        "Read the session again and repeat what still applies.");
    /// The store breaks a rule.
    StoreDamaged = ("store_damaged", 500, "the store is damaged",
        "Stop the daemon, run `provost audit verify` and restore a backup.");
    /// The storage failed.
    StoreFailed = ("store_failed", 503, "storage failed", retry 5,
        "See that the disk has room and works; the log of the process names the cause.");
    /// The session moved on.
    StaleVersion = ("stale_version", 409, "the session moved on",
        "Read the session again and send its `head_seq` in `If-Match`.");
    /// A principal of this kind may not.
    NotAuthorised = ("not_authorised", 403, "this caller may not do that",
        "Let a person do it under their own name; programs, agents and senders of deliveries cannot.");
    /// It ended.
    SessionEnded = ("session_ended", 409, "the session has ended",
        "Open a new session, or retry this one where the policy allows it.");
    /// Nothing to carry on.
    NothingToDo = ("nothing_to_do", 409, "nothing to do",
        "Read the session: it waits for something else, or for nothing.");
    /// No such approval in the session.
    ApprovalUnknown = ("approval_unknown", 404, "no such approval",
        "Take the approval's id from `/v1/approvals`.");
    /// Another answer came first.
    ApprovalAlreadyDecided = ("approval_already_decided", 409, "the approval is decided already",
        "Read the approval: its answer stands.");
    /// The requester may not approve.
    ApproverIsRequester = ("approver_is_requester", 403, "the requester may not approve",
        "Let somebody else answer; the pack asks for another person.");
    /// The same approver again.
    AlreadyApproved = ("already_approved", 409, "another person must approve",
        "Let a second person answer.");
    /// Arguments the runtime supplies.
    NotEditable = ("not_editable", 422, "arguments from the session cannot be edited",
        "Leave the arguments in `arguments` as they are; the session supplies them.");
    /// The edited call does not hold.
    CallRefused = ("call_refused", 422, "the call is refused",
        "Correct the arguments as `refusal` says, or reject the call.");
    /// An earlier call on the same target is in doubt.
    TargetBusy = ("target_busy", 409, "the target is taken",
        "Find out what came of the earlier call on the target, settle it, then answer again.");
    /// No operator is asked.
    NobodyAsked = ("nobody_asked", 409, "the session asks no operator",
        "Read the session; say something only when it asks.");
    /// The call's outcome is known.
    NotInDoubt = ("not_in_doubt", 409, "the outcome is not in doubt",
        "Read the call: its outcome stands.");
    /// The policy says no.
    RetryRejected = ("retry_rejected", 409, "the retry is rejected",
        "Read `reason`; where it allows it, an operator retries with `force`.");
    /// The call still runs.
    CallUnderWay = ("call_under_way", 409, "the call is still under way", retry 1,
        "Wait until the call returns, then try again.");
    /// An unknown outcome must be settled first.
    OutcomeUnsettled = ("outcome_unsettled", 409, "the outcome of a call is not settled yet",
        "Find out what happened and settle each of `calls` first.");
    /// No such terminal tool.
    UnknownTerminalTool = ("unknown_terminal_tool", 422, "no such terminal tool",
        "Use one of the pack's terminal tools; `/v1/packs` lists them.");
    /// It was stored, and cannot be read any more.
    CommandUnreadable = ("command_unreadable", 422, "the stored command cannot be read",
        "Nothing of it was done: send it again under a new key, and run `provost audit verify`.");
    /// It may not be erased yet.
    NotErasable = ("not_erasable", 409, "the session cannot be erased now",
        "Stop the session or wait for its end, settle its calls in doubt, wait until its messages are sent, and ask again.");
    /// What the session said was erased.
    SessionErased = ("session_erased", 410, "the session was erased",
        "Nothing brings it back: `by`, `at` and `reason` say who erased it, when and why.");
    /// The pinned pack is not loaded.
    PackChanged = ("pack_changed", 409, "the session pinned another version of its pack",
        "Load the version the session pinned, or open a new session.");
    /// The same key with another body.
    IdempotencyMismatch = ("idempotency_mismatch", 422, "the key was used for another request",
        "Use a new key for another request.");
    /// The first request of this key still runs.
    IdempotencyInProgress = ("idempotency_in_progress", 409, "the first request of this key still runs", retry 1,
        "Wait for the first request; its answer is repeated under the same key.");
    /// A token of that name is in force.
    TokenNameTaken = ("token_name_taken", 409, "a token of that name is in force",
        "Choose another name, or revoke the token that has it.");
}

impl Code {
    /// The code of a word at the wire.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }

    /// The path of its page: what an HTTP problem's `type` refers to.
    pub fn page(self) -> String {
        format!("/errors/{}", self.as_str())
    }

    /// The code of a refusal: the same word.
    pub fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::StaleVersion { .. } => Self::StaleVersion,
            Refusal::SessionEnded { .. } => Self::SessionEnded,
            Refusal::NotAuthorised { .. } => Self::NotAuthorised,
            Refusal::NothingToDo { .. } => Self::NothingToDo,
            Refusal::ApprovalUnknown { .. } => Self::ApprovalUnknown,
            Refusal::ApprovalAlreadyDecided { .. } => Self::ApprovalAlreadyDecided,
            Refusal::ApproverIsRequester { .. } => Self::ApproverIsRequester,
            Refusal::AlreadyApproved { .. } => Self::AlreadyApproved,
            Refusal::NotEditable { .. } => Self::NotEditable,
            Refusal::CallRefused { .. } => Self::CallRefused,
            Refusal::TargetBusy { .. } => Self::TargetBusy,
            Refusal::NobodyAsked => Self::NobodyAsked,
            Refusal::NotInDoubt { .. } => Self::NotInDoubt,
            Refusal::RetryRejected { .. } => Self::RetryRejected,
            Refusal::CallUnderWay { .. } => Self::CallUnderWay,
            Refusal::OutcomeUnsettled { .. } => Self::OutcomeUnsettled,
            Refusal::UnknownTerminalTool { .. } => Self::UnknownTerminalTool,
            Refusal::CommandUnreadable { .. } => Self::CommandUnreadable,
            Refusal::NotErasable { .. } => Self::NotErasable,
            Refusal::InvalidReason { .. } | Refusal::BlankWords { .. } => Self::InvalidBody,
            Refusal::PackChanged { .. } => Self::PackChanged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_statuses_are_errors() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| Code::named(code.as_str()) == Some(*code)));
        assert!(Code::ALL.iter().all(|code| *code == Code::Pending || code.http_status() >= 400));
    }

    #[test]
    fn a_refusal_keeps_its_word() {
        let refusal = Refusal::NobodyAsked;
        assert_eq!(Code::of(&refusal).as_str(), refusal.code());
    }
}
