//! The groups of the host's registry are shown, and rolled back as one.

use axum::body::Body;
use cutover::testing::Fault;
use cutover::{MigrationController, MigrationRegistry, SystemMode};
use cutover_dashboard::{Dashboard, Migration};
use http::Method;
use serde_json::{Value, json};

use crate::common::{Reply, World, by_header, monitor, open, somebody};

/// `cart` and `price` are in the group `checkout`, `price` is in `money` too, `search` in none.
async fn grouped() -> (World, MigrationController) {
    let world = World::new().await;
    let price = open("price", &world.store, &world.clock, &monitor(&world.clock)).await;
    let registry = MigrationRegistry::new();
    registry.register(world.search.clone(), &[]).unwrap();
    registry.register(world.cart.clone(), &["checkout"]).unwrap();
    registry.register(price.clone(), &["checkout", "money"]).unwrap();
    let dashboard = Dashboard::new(by_header).clock(world.clock.clone()).migration(Migration::new(&world.search));
    let router = dashboard.registry(&registry).router().unwrap();
    (World { router, ..world }, price)
}

async fn form(world: &World, role: &str, path: &str, body: &str) -> Reply {
    let post = somebody(role, Method::POST, path).header("sec-fetch-site", "same-origin");
    world.send(post.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn the_overview_has_them_with_their_members() {
    let (world, _) = grouped().await;
    let view = world.get("/api/v1/migrations").await.json();
    let expected = json!([
        { "name": "checkout", "migrations": ["cart", "price"] },
        { "name": "money", "migrations": ["price"] }
    ]);
    assert_eq!(view["groups"], expected);
    let page = world.get_as("operate", "/").await;
    for text in ["formaction=\"/g/checkout/emergency\"", "formaction=\"/g/money/emergency\"", "cart, price"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!world.get("/").await.body.contains("/g/checkout"), "who may only look has no button");
    let none = Dashboard::new(by_header).migration(Migration::new(&world.search)).router().unwrap();
    assert_eq!(World { router: none, ..world }.get("/api/v1/migrations").await.json()["groups"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_emergency_of_a_group_rolls_its_members_back_and_nobody_else() {
    for by_form in [false, true] {
        let (world, price) = grouped().await;
        world.to(SystemMode::Parallel).await;
        let reply = if by_form {
            form(&world, "operate", "/g/checkout/emergency", "reason=wrong+totals").await
        } else {
            world.post("operate", "/api/v1/groups/checkout/emergency", &json!({ "reason": "wrong totals" })).await
        };
        assert_eq!(reply.status, 200, "{}", reply.body);
        let modes = [world.cart.mode(), price.mode(), world.search.mode()];
        let expected = [SystemMode::EmergencyRollback, SystemMode::EmergencyRollback, SystemMode::Parallel];
        assert_eq!(modes, expected, "{by_form}");
        let (actor, reason) = (price.status().actor.unwrap(), price.status().reason.unwrap());
        assert_eq!((actor.as_str(), reason.as_str()), ("ana", "EMERGENCY: wrong totals"));
        if by_form {
            assert!(reply.body.contains("cart: Everything goes to legacy now"), "{}", reply.body);
        } else {
            let ids: Vec<_> = reply.json()["answers"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
            assert_eq!(
                (ids, &reply.json()["answers"][0]["stored"]),
                (vec![json!("cart"), json!("price")], &json!(true))
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_holds_for_all_of_them_before_a_store_is_waited_for_and_has_no_limits() {
    let (world, price) = grouped().await;
    let refused = json!({ "epoch": 9, "etag": "", "reason": "because" });
    for _ in 0..20 {
        world.post("operate", "/api/v1/migrations/search/pause", &refused).await;
    }
    world.store.set_standing(Some(Fault::Hang));
    let mut asked = Box::pin(world.post("operate", "/api/v1/groups/checkout/emergency", &Value::Null));
    assert!(futures::poll!(&mut asked).is_pending());
    assert_eq!([world.cart.mode(), price.mode()], [SystemMode::EmergencyRollback; 2]);
    let reply = asked.await;
    assert_eq!((reply.status, &reply.json()["answers"][1]["stored"]), (200, &json!(false)), "{}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn who_may_only_look_may_not_and_a_group_that_is_not_there_is_not_found() {
    let (world, price) = grouped().await;
    let path = "/api/v1/groups/checkout/emergency";
    assert_eq!(world.post("view", path, &json!({})).await.problem(), "role");
    let unknown = world.post("operate", "/api/v1/groups/canary/emergency", &json!({})).await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not_found"));
    let page = form(&world, "operate", "/g/canary/emergency", "").await;
    assert!(page.status == 404 && page.body.contains("Nothing was changed"), "{}", page.body);
    let cross_site = somebody("operate", Method::POST, "/g/checkout/emergency").header("sec-fetch-site", "cross-site");
    assert_eq!(world.send(cross_site.body(Body::empty()).unwrap()).await.status, 403);
    assert_eq!(world.get_as("operate", "/g/checkout/emergency").await.status, 405);
    assert_eq!([world.cart.mode(), price.mode()], [SystemMode::LegacyOnly; 2]);
}
