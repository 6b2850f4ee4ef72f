//! The pages of drivers without a contract, in a browser's terms: HTTP, and a real browser.

mod browser;
mod codes;
mod live;
mod mails;
mod map;
mod outcomes;
mod pages;
mod scene;
