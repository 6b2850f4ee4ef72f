//! The pages of drivers without a contract, in a browser's terms: HTTP, and a real browser.

mod browser;
mod live;
mod mails;
mod pages;
mod scene;
