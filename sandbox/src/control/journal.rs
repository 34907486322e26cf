//! What was sent over the network, in order: for tests that count requests and check them against a specification.

use std::collections::VecDeque;

use jiff::Timestamp;

/// The maximum number of exchanges to keep; older ones are forgotten.
const KEPT: usize = 20_000;

/// How an exchange ended for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing has been sent back yet.
    Open,
    /// It was answered.
    Answered,
    /// The connection was broken.
    Cut,
}

/// One request and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<Request, Answer> {
    /// Its number, counting from 0.
    pub number: usize,
    /// When it came.
    pub at: Timestamp,
    /// The request.
    pub request: Request,
    /// The service's answer, whether or not it reaches the client; `None` until the world has processed the request.
    pub answer: Option<Answer>,
    /// How it ended.
    pub ending: Ending,
    /// Whether a fault or a gate affected it.
    pub tampered: bool,
}

impl<Request, Answer> Exchange<Request, Answer> {
    /// The answer that was sent to the client.
    pub fn sent(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|_| self.ending == Ending::Answered)
    }
}

/// The exchanges, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Journal<Request, Answer> {
    exchanges: VecDeque<Exchange<Request, Answer>>,
    next: usize,
}

impl<Request, Answer> Default for Journal<Request, Answer> {
    fn default() -> Self {
        Self { exchanges: VecDeque::new(), next: 0 }
    }
}

impl<Request, Answer> Journal<Request, Answer> {
    /// Records the arrival of a request and returns its number.
    pub(crate) fn open(&mut self, request: Request, at: Timestamp) -> usize {
        let number = self.next;
        self.next += 1;
        if self.exchanges.len() == KEPT {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange { number, at, request, answer: None, ending: Ending::Open, tampered: false });
        number
    }

    /// Records the service's answer.
    pub(crate) fn answer(&mut self, number: usize, answer: Answer) {
        self.change(number, |exchange| exchange.answer = Some(answer));
    }

    /// Records how an exchange ended.
    pub(crate) fn close(&mut self, number: usize, ending: Ending) {
        self.change(number, |exchange| exchange.ending = ending);
    }

    /// Records that a fault or a gate affects an exchange.
    pub(crate) fn tamper(&mut self, number: usize) {
        self.change(number, |exchange| exchange.tampered = true);
    }

    fn change(&mut self, number: usize, change: impl FnOnce(&mut Exchange<Request, Answer>)) {
        let first = self.exchanges.front().map_or(0, |exchange| exchange.number);
        if let Some(exchange) = number.checked_sub(first).and_then(|index| self.exchanges.get_mut(index)) {
            change(exchange);
        }
    }

    /// One exchange, if it is still kept.
    pub(crate) fn get(&self, number: usize) -> Option<&Exchange<Request, Answer>> {
        let first = self.exchanges.front().map_or(0, |exchange| exchange.number);
        number.checked_sub(first).and_then(|index| self.exchanges.get(index))
    }

    /// All exchanges that are kept, oldest first.
    pub(crate) fn exchanges(&self) -> &VecDeque<Exchange<Request, Answer>> {
        &self.exchanges
    }
}
