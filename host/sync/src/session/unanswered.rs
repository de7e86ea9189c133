//! The mutations of one socket that have come and are not answered: first come, first answered.
use std::collections::VecDeque;

use weir_db::MutationOutcome;
use weir_value::Timestamp;
use weir_value::limits::{SOCKET_MUTATION_BYTES_IN_FLIGHT_MAX, SOCKET_MUTATIONS_IN_FLIGHT_MAX};

use crate::protocol::{FailureBody, RequestId, ServerMessage};

/// More than a socket may have in flight.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

#[derive(Debug)]
struct Pending {
    request: RequestId,
    args_bytes: usize,
    answer: Option<Answer>,
}

#[derive(Debug)]
struct Answer {
    message: ServerMessage,
    /// Must be durable before the answer leaves.
    ts: Timestamp,
}

/// A socket's mutations that are not answered yet, and those of their answers that wait.
#[derive(Debug, Default)]
pub(super) struct UnansweredMutations {
    pending: VecDeque<Pending>,
    args_bytes: usize,
}

impl UnansweredMutations {
    /// A mutation that will run.
    pub(super) fn push(&mut self, request: RequestId, args_bytes: usize) -> Result<(), TooMany> {
        self.push_pending(Pending { request, args_bytes, answer: None })
    }

    /// A mutation that cannot run: fails in its turn.
    pub(super) fn push_failed(&mut self, request: RequestId, failure: FailureBody) -> Result<(), TooMany> {
        let message =
            ServerMessage::MutationResponse { request, result: Err(failure), log_lines: Vec::new() };
        let answer = Answer { message, ts: Timestamp::ZERO };
        self.push_pending(Pending { request, args_bytes: 0, answer: Some(answer) })
    }

    /// How the oldest one of this number, which was not finished, has ended. A number that is not there is left
    /// alone.
    pub(super) fn finish(&mut self, request: RequestId, outcome: MutationOutcome) {
        let mut unfinished = self.pending.iter_mut().filter(|pending| pending.answer.is_none());
        let Some(pending) = unfinished.find(|pending| pending.request == request) else {
            return;
        };
        let result = match outcome.result {
            Ok(value) => Ok((value, outcome.ts)),
            Err(error) => Err(FailureBody { message: error.message, data: error.data }),
        };
        let message = ServerMessage::MutationResponse { request, result, log_lines: outcome.log_lines };
        pending.answer = Some(Answer { message, ts: outcome.ts });
    }

    /// The next answer in order, if it has come and its timestamp is durable.
    pub(super) fn pop_durable(&mut self, durable: Timestamp) -> Option<(ServerMessage, Timestamp)> {
        self.awaited().filter(|ts| *ts <= durable)?;
        let pending = self.pending.pop_front()?;
        self.args_bytes -= pending.args_bytes;
        pending.answer.map(|answer| (answer.message, answer.ts))
    }

    /// The timestamp that the next answer waits for, if it has come.
    pub(super) fn awaited(&self) -> Option<Timestamp> {
        self.pending.front()?.answer.as_ref().map(|answer| answer.ts)
    }

    fn push_pending(&mut self, pending: Pending) -> Result<(), TooMany> {
        let args_bytes = self.args_bytes + pending.args_bytes;
        if self.pending.len() == SOCKET_MUTATIONS_IN_FLIGHT_MAX
            || args_bytes > SOCKET_MUTATION_BYTES_IN_FLIGHT_MAX
        {
            return Err(TooMany);
        }
        self.args_bytes = args_bytes;
        self.pending.push_back(pending);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn outcome(nanos: u64) -> MutationOutcome {
        MutationOutcome {
            result: Ok(Bytes::from_static(b"null")),
            ts: ts(nanos),
            log_lines: vec![],
            replayed: false,
            pause: Duration::ZERO,
        }
    }

    fn popped(queue: &mut UnansweredMutations, durable: u64) -> Option<u32> {
        match queue.pop_durable(ts(durable))?.0 {
            ServerMessage::MutationResponse { request, .. } => Some(request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_leave_in_order_and_durable() {
        let mut queue = UnansweredMutations::default();
        for request in [7, 8, 9] {
            queue.push(request, 10).expect("room");
        }
        queue.finish(8, outcome(5));
        assert_eq!((queue.awaited(), popped(&mut queue, 100)), (None, None));
        queue.finish(7, outcome(4));
        assert_eq!((queue.awaited(), popped(&mut queue, 3)), (Some(ts(4)), None));
        assert_eq!(popped(&mut queue, 4), Some(7));
        assert_eq!(popped(&mut queue, 4), None);
        assert_eq!(popped(&mut queue, 5), Some(8));
        queue.finish(1000, outcome(6));
        assert_eq!((queue.pending.len(), queue.args_bytes), (1, 10));
    }

    #[test]
    fn the_same_number_twice_is_answered_twice() {
        let mut queue = UnansweredMutations::default();
        queue.push(1, 0).expect("room");
        queue.push(1, 0).expect("room");
        queue.finish(1, outcome(2));
        queue.finish(1, outcome(2));
        assert_eq!(
            (popped(&mut queue, 2), popped(&mut queue, 2), popped(&mut queue, 2)),
            (Some(1), Some(1), None)
        );
    }

    #[test]
    fn there_is_room_for_so_many() {
        let mut queue = UnansweredMutations::default();
        for request in 0..SOCKET_MUTATIONS_IN_FLIGHT_MAX as u32 {
            queue.push(request, 1).expect("room");
        }
        assert_eq!(queue.push(0, 1), Err(TooMany));
        let mut queue = UnansweredMutations::default();
        queue.push(0, SOCKET_MUTATION_BYTES_IN_FLIGHT_MAX).expect("room");
        assert_eq!(queue.push(1, 1), Err(TooMany));
        queue.finish(0, outcome(1));
        queue.pop_durable(ts(1)).expect("durable");
        queue.push(1, 1).expect("room again");
    }
}
