//! What is done when an answer has gone out, and not when the caller went away before.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An answer that begins some work, in the background, once its whole body was handed to the connection. What the
/// network loses after that is not seen; the work has to be such that the caller asks again then.
#[must_use]
pub fn when_sent(answer: HttpResponse, work: impl Future<Output = ()> + Send + 'static) -> HttpResponse {
    answer.map_body(|_, body| BoxBody::new(Watched { body, work: Some(Box::pin(work)) }))
}

/// A body whose end is seen.
struct Watched {
    body: BoxBody,
    work: Option<Work>,
}

impl MessageBody for Watched {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        if matches!(next, Poll::Ready(None))
            && let Some(work) = self.work.take()
        {
            tokio::spawn(work);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    async fn was_done(read_whole: bool) -> bool {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let answer = when_sent(HttpResponse::Ok().body("text"), async move {
            seen.store(true, Ordering::SeqCst);
        });
        assert_eq!(answer.body().size(), BodySize::Sized(4));
        if read_whole {
            assert_eq!(actix_web::body::to_bytes(answer.into_body()).await.unwrap(), "text");
        } else {
            drop(answer);
        }
        tokio::task::yield_now().await;
        done.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn only_the_end_of_the_body_counts() {
        assert!(was_done(true).await);
        assert!(!was_done(false).await);
    }
}
