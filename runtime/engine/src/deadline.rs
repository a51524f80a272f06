//! Deadlines of work that waits for answers from outside. A process that was stopped and goes on finds its clocks run out and the answers
//! waiting in their sockets: then the answers are read first.

use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

/// A deadline that is noticed this much too late passed while this process did not run: on a busy machine it is far less.
const LATE: Duration = Duration::from_millis(500);
/// What it takes to read an answer that has arrived.
const READ_MAX: Duration = Duration::from_secs(2);

/// What the work comes to, if it does within `limit` of this process's own time.
///
/// # Errors
/// It does not, and nothing that had arrived changes that.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    // A limit beyond all time is none.
    let Some(deadline) = Instant::now().checked_add(limit) else { return Ok(work.await) };
    let mut work = std::pin::pin!(work);
    match timeout_at(deadline, work.as_mut()).await {
        Err(_elapsed) if Instant::now().duration_since(deadline) > LATE => timeout(READ_MAX, work).await,
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_counts_on_time() {
        let began = Instant::now();
        within(Duration::from_secs(3), std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        assert_eq!(within(Duration::MAX, async { 7 }).await, Ok(7));
    }

    /// This process does not run for longer than the deadline, and the answer arrives meanwhile.
    #[tokio::test]
    async fn an_answer_that_arrived_while_the_process_stood_still_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut near = tokio::net::TcpStream::from_std(near).unwrap();
        // Another task reads the socket, as an HTTP client's does.
        let (sender, answer) = tokio::sync::oneshot::channel();
        let reading = tokio::task::JoinSet::from_iter([async move {
            let mut byte = [0];
            near.read_exact(&mut byte).await.unwrap();
            sender.send(byte[0]).unwrap();
        }]);
        let answered = within(Duration::from_millis(100), async move {
            tokio::task::yield_now().await;
            far.write_all(&[7]).unwrap();
            // The runtime of this test has one thread: nothing else of it runs meanwhile.
            let stood_still = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            stood_still.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
            (&stood_still).read_exact(&mut [0]).unwrap_err();
            answer.await.unwrap()
        });
        assert_eq!(answered.await, Ok(7));
        drop(reading);
    }
}
