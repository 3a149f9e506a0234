//! Agents of people that ask too often: the agent counts, not its token, and not where it calls from.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use vouchsafe::drp::AN_HOUR;

use super::drp::{Agent, BASE, changed, text};
use crate::each_app;
use crate::support::TestApp;
use crate::support::call::{Answer, Sender};

/// The `n`th thing that an agent asks for: no message is like another.
fn wish(app: &TestApp, agent: &Agent, n: i64) -> Value {
    let wish = agent.wish(app, "access", "nobody@example.org");
    changed(&wish, "agent-request-id", json!(format!("of-ours-{n}")))
}

async fn send(app: &TestApp, agent: &Agent, signed: &str) -> Answer {
    let call = app.post(&format!("{BASE}/data-rights-request/")).by(Sender::bearer(&agent.token));
    call.body("text/plain", signed.to_owned()).send().await
}

each_app! {
    async fn an_agent_that_asks_too_much_is_told_when_there_is_room_again(app: TestApp) {
        let mut agent = Agent::paired(&app, "slip", 1).await;
        let eve = Agent::paired(&app, "eve", 2).await;
        let first = agent.ask(&app, &wish(&app, &agent, 0)).await;
        assert_eq!(first.status, 200, "{}", first.text());
        app.advance(TimeDelta::minutes(55));
        for n in 1..AN_HOUR - 1 {
            assert_eq!(agent.ask(&app, &wish(&app, &agent, n)).await.status, 200, "{n}");
        }
        // Many at once, and room for one.
        let wishes: Vec<Value> = (0..5).map(|n| wish(&app, &agent, 1_000 + n)).collect();
        let answers = join_all(wishes.iter().map(|wish| agent.ask(&app, wish))).await;
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);

        let one_more = agent.sign(wish(&app, &agent, 2_000).to_string().as_bytes());
        let refused = send(&app, &agent, &one_more).await;
        assert_eq!(refused.problem(429), "too-many");
        assert_eq!(refused.header("retry-after"), "300", "when the first of them is an hour old");
        assert!(refused.json()["detail"].as_str().unwrap().contains("within an hour"), "{}", refused.text());
        let paired = agent.pair(&app, &agent.bounds(&app)).await;
        agent.token = text(&paired.json(), "token");
        assert_eq!(send(&app, &agent, &one_more).await.status, 429, "a new token is no new agent");

        // Others ask as before, and what was asked can be looked at and taken back.
        assert_eq!(eve.ask(&app, &wish(&app, &eve, 0)).await.status, 200);
        let id = text(&first.json(), "request_id");
        assert_eq!(agent.status(&app, &id).await.status, 200);
        assert_eq!(agent.revoke(&app, &id, agent.sign(b"{}")).await.status, 200);

        app.advance(TimeDelta::seconds(299));
        let refused = send(&app, &agent, &one_more).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
        app.advance(TimeDelta::seconds(1));
        let taken = send(&app, &agent, &one_more).await;
        assert_eq!(taken.status, 200, "the very message that there was no room for: {}", taken.text());
        assert_eq!(send(&app, &agent, &one_more).await.status, 409, "once");
        let asked = "SELECT COUNT(*) FROM drp_request WHERE agent = 'slip'";
        assert_eq!(crate::support::house::count_in(&app.app.db, asked).await, AN_HOUR + 1, "what was refused left nothing");
    }
}
