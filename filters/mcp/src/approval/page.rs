//! The page on which people say yes or no. Plain forms, no script, nothing from elsewhere.

use super::html::Html;
use tollgate_kernel::approval::Id;
use tollgate_kernel::approval::pending::{Answer, Entry, MAX_REASON, Outcome};
use tollgate_kernel::approval::question::duration;
use tollgate_kernel::subject::{Field, Subject};
use tollgate_kernel::timestamp;

/// Where it is.
pub const PATH: &str = "/.tollgate/approvals";

/// The address of one call on the page at this address.
#[must_use]
pub fn address_of(page: &str, id: &Id) -> String {
    format!("{page}#a-{id}")
}

const STYLE: &str = include_str!("page.css");
/// What browsers let the page do: show that style, and send forms to where it came from.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-nTci72R5bJ/qK1jCna/fsfAD1po8yc3j5FCegRlui9E='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How often a page on which nothing waits looks again, in seconds. One with forms does not: somebody may be typing.
const LOOK_AGAIN_S: &str = "15";

/// What somebody sees.
#[derive(Debug)]
pub struct View<'v> {
    /// Who looks.
    pub viewer: &'v Subject,
    /// What they can answer, with the token of the form, the oldest first.
    pub waiting: Vec<(&'v Entry, String)>,
    /// What they have asked for themselves, and waits.
    pub own: Vec<&'v Entry>,
    /// What is answered or over, the latest first.
    pub past: Vec<&'v Entry>,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

impl View<'_> {
    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut html = Html::default();
        let count = self.waiting.len();
        let title = if count == 0 { "Approvals".to_owned() } else { format!("({count}) Approvals") };
        begin(&mut html, &title, count == 0);
        html.markup("<header><h1>Approvals</h1><p class=soft>You are ");
        person(&mut html, self.viewer);
        html.markup("</p></header><main>");
        self.waiting(&mut html);
        if !self.own.is_empty() {
            html.markup("<section><h2>Your own calls wait for somebody else</h2>");
            self.own.iter().for_each(|entry| self.card(&mut html, entry, None));
            html.markup("</section>");
        }
        if !self.past.is_empty() {
            html.markup("<section><h2>Answered</h2>");
            self.past.iter().for_each(|entry| self.card(&mut html, entry, None));
            html.markup("</section>");
        }
        html.markup("<footer><p>As of ").text(&clock(self.now_ms)).markup(". <a href=\"").markup(PATH);
        html.markup("\">Look again</a></p></footer></main></body></html>\n");
        html.0
    }

    fn waiting(&self, html: &mut Html) {
        html.markup("<section><h2>Waiting for your answer</h2>");
        if self.waiting.is_empty() {
            html.markup("<article class=\"empty soft\"><p>Nothing waits for you.</p><p>This page looks again by itself.</p></article>");
        }
        for (entry, token) in &self.waiting {
            self.card(html, entry, Some(token));
        }
        html.markup("</section>");
    }

    fn card(&self, html: &mut Html, entry: &Entry, token: Option<&str>) {
        html.markup("<article id=\"a-").text(&entry.id.to_string()).markup("\"><h3><code>");
        html.safe_text(&entry.object).markup("</code></h3>");
        self.state(html, entry);
        html.markup("<dl><dt>Asked for by</dt><dd>");
        person(html, &entry.requester);
        html.markup("</dd><dt>Server</dt><dd>").safe_text(&entry.server).markup("</dd><dt>When</dt><dd>");
        self.ago(html, entry.asked_ms);
        if token.is_some() {
            html.markup("</dd><dt>Answer within</dt><dd>");
            self.left(html, entry.expires_ms);
        }
        html.markup("</dd><dt>Rule</dt><dd>").safe_text(&entry.rule).markup("</dd></dl>");
        match token {
            Some(token) => {
                arguments(html, entry);
                form(html, entry, token);
            }
            None => {
                html.markup("<details><summary>Arguments</summary>");
                arguments(html, entry);
                html.markup("</details>");
            }
        }
        html.markup("</article>");
    }

    fn state(&self, html: &mut Html, entry: &Entry) {
        let is_over = !entry.is_open(self.now_ms);
        let (class, word, answer) = match &entry.outcome {
            Outcome::Waits if is_over => ("no", "Nobody answered in time", None),
            Outcome::Waits => return,
            Outcome::Approved(answer) if is_over => ("no", "Approved, but not run in time", Some(answer)),
            Outcome::Approved(answer) => ("yes", "Approved", Some(answer)),
            Outcome::Rejected(answer) => ("no", "Rejected", Some(answer)),
            Outcome::Ran { answer, .. } => ("yes", "Approved and run", Some(answer)),
        };
        html.markup("<p><span class=\"state ").markup(class).markup("\">").markup(word).markup("</span>");
        if let Some(Answer { by, at_ms, reason }) = answer {
            html.markup(" by ");
            person(html, by);
            html.markup(", ");
            self.ago(html, *at_ms);
            if !reason.is_empty() {
                html.markup(": ").safe_text(reason);
            }
        }
        html.markup("</p>");
        if let Outcome::Approved(_) = &entry.outcome
            && !is_over
        {
            html.markup("<p class=soft>It runs once, when the client asks again within ");
            self.left(html, entry.expires_ms);
            html.markup(".</p>");
        }
    }

    fn ago(&self, html: &mut Html, ms: u64) {
        let passed = self.now_ms.saturating_sub(ms) / 1000;
        moment(html, ms, &if passed == 0 { "just now".to_owned() } else { format!("{} ago", duration(passed)) });
    }

    fn left(&self, html: &mut Html, ms: u64) {
        moment(html, ms, &duration(ms.saturating_sub(self.now_ms) / 1000));
    }
}

/// A page that says one thing.
#[must_use]
pub fn message(title: &str, text: &str) -> String {
    let mut html = Html::default();
    begin(&mut html, title, false);
    html.markup("<header><h1>").text(title).markup("</h1></header><main><article><p>").text(text);
    html.markup("</p></article><p><a href=\"").markup(PATH).markup("\">All approvals</a></p></main></body></html>\n");
    html.0
}

fn begin(html: &mut Html, title: &str, looks_again: bool) {
    html.markup("<!doctype html><html lang=en><head><meta charset=utf-8>");
    html.markup("<meta name=viewport content=\"width=device-width,initial-scale=1\">");
    if looks_again {
        html.markup("<meta http-equiv=refresh content=").markup(LOOK_AGAIN_S).markup(">");
    }
    html.markup("<title>").text(title).markup("</title><style>").markup(STYLE).markup("</style></head><body>");
}

fn form(html: &mut Html, entry: &Entry, token: &str) {
    let id = entry.id.to_string();
    html.markup("<form method=post action=\"").markup(PATH).markup("/").text(&id).markup("\">");
    // Enter sends a form as its first button would: this one, which sends nothing.
    html.markup("<button disabled hidden></button><input type=hidden name=token value=\"").text(token);
    html.markup("\"><label for=\"r-").text(&id).markup("\">Reason</label><input id=\"r-").text(&id);
    html.markup("\" name=reason autocomplete=off placeholder=\"Is kept, and told to who asks\" maxlength=");
    html.text(&MAX_REASON.to_string());
    html.markup("><div class=answers><button class=go name=decision value=approve>Approve once</button>");
    html.markup("<button class=stop name=decision value=reject>Reject</button></div></form>");
}

fn arguments(html: &mut Html, entry: &Entry) {
    if !entry.complete {
        html.markup("<p class=warn><b>Not all of this call is shown:</b> it is too large. What is cut has its length and digest. Approve it only if you know the rest.</p>");
    }
    if entry.arguments.is_empty() {
        html.markup("<p class=soft>No arguments.</p>");
    } else {
        html.markup("<pre aria-label=Arguments>");
        for line in entry.arguments.lines() {
            html.markup("<span>").safe_lines(line).markup("</span>");
        }
        html.markup("</pre>");
    }
}

/// Who somebody is, as far as that is known.
fn person(html: &mut Html, subject: &Subject) {
    let key = subject.key.as_ref().map(|key| ("key ", key.as_str()));
    let others = [(Field::Agent, "agent "), (Field::Team, "team "), (Field::Feature, ""), (Field::Environment, "")];
    let others = others.into_iter().filter_map(|(field, word)| Some((word, subject.get(field)?.as_str())));
    let mut all = others.chain(key);
    match &subject.user {
        Some(user) => html.markup("<b>").text(user.as_str()).markup("</b>"),
        None => match all.next() {
            Some((word, text)) => html.markup(word).markup("<b>").text(text).markup("</b>"),
            None => html.markup("somebody"),
        },
    };
    for (word, text) in all {
        html.markup(", ").markup(word).text(text);
    }
}

/// A time as people say it, and exactly for who asks.
fn moment(html: &mut Html, ms: u64, words: &str) {
    let exact = timestamp::rfc3339_millis(ms.saturating_mul(1_000_000));
    html.markup("<time datetime=\"").text(&exact).markup("\" title=\"").text(&clock(ms)).markup("\">");
    html.text(words).markup("</time>");
}

/// `2026-11-26 22:41:05 UTC`.
fn clock(ms: u64) -> String {
    let exact = timestamp::rfc3339_millis(ms.saturating_mul(1_000_000));
    exact.split_once('.').map_or("", |(until_seconds, _)| until_seconds).replace('T', " ") + " UTC"
}
