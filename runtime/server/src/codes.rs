//! The stable codes of problems, one table: word, status, title, when to try again. The page of error codes is made of it.

use axum::http::StatusCode;
use provost_domain::refusal::Refusal;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = ($word:literal, $status:ident, $title:literal $(, retry $seconds:literal)?);)*) => {
        /// A problem's stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word at the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The code in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
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
    Unauthenticated = ("unauthenticated", UNAUTHORIZED, "a valid token is needed");
    /// The token's role may not.
    Forbidden = ("forbidden", FORBIDDEN, "this token's role may not do that");
    /// No such path.
    NoRoute = ("no_route", NOT_FOUND, "no such path");
    /// No such thing.
    NotFound = ("not_found", NOT_FOUND, "nothing of that name");
    /// The path knows other methods.
    MethodNotAllowed = ("method_not_allowed", METHOD_NOT_ALLOWED, "the path does not take this method");
    /// A path, query, header or body that cannot be read.
    InvalidRequest = ("invalid_request", BAD_REQUEST, "the request cannot be read");
    /// The body has another form than the path takes.
    InvalidBody = ("invalid_body", UNPROCESSABLE_ENTITY, "the body does not have the right form");
    /// The body is no JSON by its content type.
    UnsupportedMediaType = ("unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "the body must be JSON");
    /// The body is too large.
    BodyTooLarge = ("body_too_large", PAYLOAD_TOO_LARGE, "the body is too large");
    /// The request took too long.
    Timeout = ("timeout", SERVICE_UNAVAILABLE, "the request took too long", retry 5);
    /// Too many requests by one token.
    RateLimited = ("rate_limited", TOO_MANY_REQUESTS, "too many requests", retry 1);
    /// A fault in this program.
    Internal = ("internal", INTERNAL_SERVER_ERROR, "a fault in this program");
    /// Someone carries the session.
    SessionBusy = ("session_busy", TOO_MANY_REQUESTS, "the session is busy", retry 1);
    /// As many sessions are live as may be.
    SessionCapExceeded = ("session_cap_exceeded", TOO_MANY_REQUESTS, "too many sessions are live", retry 5);
    /// No such pack.
    UnknownPack = ("unknown_pack", NOT_FOUND, "no pack of that name is loaded");
    /// The fields do not fit the pack.
    InvalidFields = ("invalid_fields", UNPROCESSABLE_ENTITY, "the fields do not fit the pack");
    /// Stored, not yet applied.
    Pending = ("pending", ACCEPTED, "stored, and will be applied");
    /// As many streams are open as may be.
    TooManyStreams = ("too_many_streams", SERVICE_UNAVAILABLE, "too many streams are open", retry 10);
    /// Something the server stands on does not work.
    NotReady = ("not_ready", SERVICE_UNAVAILABLE, "not ready", retry 5);
    /// The process is ending.
    ShuttingDown = ("shutting_down", SERVICE_UNAVAILABLE, "shutting down", retry 5);
    /// The session changed under the request.
    Stale = ("stale", CONFLICT, "the session changed meanwhile", retry 1);
    /// The store breaks a rule.
    StoreDamaged = ("store_damaged", INTERNAL_SERVER_ERROR, "the store is damaged");
    /// The storage failed.
    StoreFailed = ("store_failed", SERVICE_UNAVAILABLE, "storage failed", retry 5);
    /// The session moved on.
    StaleVersion = ("stale_version", CONFLICT, "the session moved on");
    /// It ended.
    SessionEnded = ("session_ended", CONFLICT, "the session has ended");
    /// Nothing to carry on.
    NothingToDo = ("nothing_to_do", CONFLICT, "nothing to do");
    /// No such approval in the session.
    ApprovalUnknown = ("approval_unknown", NOT_FOUND, "no such approval");
    /// Another answer came first.
    ApprovalAlreadyDecided = ("approval_already_decided", CONFLICT, "the approval is decided already");
    /// The requester may not approve.
    ApproverIsRequester = ("approver_is_requester", FORBIDDEN, "the requester may not approve");
    /// The same approver again.
    AlreadyApproved = ("already_approved", CONFLICT, "another person must approve");
    /// Arguments the runtime supplies.
    NotEditable = ("not_editable", UNPROCESSABLE_ENTITY, "arguments from the session cannot be edited");
    /// The edited call does not hold.
    CallRefused = ("call_refused", UNPROCESSABLE_ENTITY, "the call is refused");
    /// No operator is asked.
    NobodyAsked = ("nobody_asked", CONFLICT, "the session asks no operator");
    /// The call's outcome is known.
    NotInDoubt = ("not_in_doubt", CONFLICT, "the outcome is not in doubt");
    /// The policy says no.
    RetryRejected = ("retry_rejected", CONFLICT, "the retry is rejected");
    /// No such terminal tool.
    UnknownTerminalTool = ("unknown_terminal_tool", UNPROCESSABLE_ENTITY, "no such terminal tool");
    /// The pinned pack is not loaded.
    PackChanged = ("pack_changed", CONFLICT, "the session pinned another version of its pack");
    /// The same key with another body.
    IdempotencyMismatch = ("idempotency_mismatch", UNPROCESSABLE_ENTITY, "the key was used for another request");
    /// The first request of this key still runs.
    IdempotencyInProgress = ("idempotency_in_progress", CONFLICT, "the first request of this key still runs", retry 1);
    /// A token of that name is in force.
    TokenNameTaken = ("token_name_taken", CONFLICT, "a token of that name is in force");
}

impl Code {
    /// The code of a refusal: the same word.
    pub fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::StaleVersion { .. } => Self::StaleVersion,
            Refusal::SessionEnded { .. } => Self::SessionEnded,
            Refusal::NothingToDo { .. } => Self::NothingToDo,
            Refusal::ApprovalUnknown { .. } => Self::ApprovalUnknown,
            Refusal::ApprovalAlreadyDecided { .. } => Self::ApprovalAlreadyDecided,
            Refusal::ApproverIsRequester { .. } => Self::ApproverIsRequester,
            Refusal::AlreadyApproved { .. } => Self::AlreadyApproved,
            Refusal::NotEditable { .. } => Self::NotEditable,
            Refusal::CallRefused { .. } => Self::CallRefused,
            Refusal::NobodyAsked => Self::NobodyAsked,
            Refusal::NotInDoubt { .. } => Self::NotInDoubt,
            Refusal::RetryRejected { .. } => Self::RetryRejected,
            Refusal::UnknownTerminalTool { .. } => Self::UnknownTerminalTool,
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
        assert!(Code::ALL.iter().all(|code| *code == Code::Pending || code.status().as_u16() >= 400));
    }

    #[test]
    fn a_refusal_keeps_its_word() {
        let refusal = Refusal::NobodyAsked;
        assert_eq!(Code::of(&refusal).as_str(), refusal.code());
    }
}
