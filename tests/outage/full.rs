//! T18: the disk fills up under the service. Whoever writes is told so, nothing is lost or half done, and when there is room
//! again it goes on, without a new start.

use super::disk::Disk;
use super::home::Home;
use super::killed::look_behind;
use super::load::{Deed, Load};

const DEEDS: [Deed; 5] = [Deed::Upload, Deed::Delete, Deed::Edit, Deed::Consent, Deed::Upload];

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_harms_nothing() {
    let home = Home::new(Disk::new(), true);
    let service = home.start().await.unwrap();
    let key = home.api_key().await;
    let mut load = Load::new(&service.calls, key, 1).await;
    let (mut full, mut done) = (0, 0);
    for step in 0..32 {
        // So that there is something to delete and to edit.
        for _ in 0..2 {
            assert_eq!(load.one(&service.calls, Deed::Upload).await.unwrap().status, 201);
        }
        // From nothing to more than all five need, which is most of a megabyte.
        let room = 40_000 * step;
        home.disk.room(Some(room));
        for deed in DEEDS {
            let told = load.one(&service.calls, deed).await.expect("it broke off");
            match told.status {
                200..300 => done += 1,
                503 | 507 => {
                    assert_eq!(told.kind, "application/problem+json", "{deed:?}, {room}: {}", told.text());
                    full += usize::from(told.status == 507);
                }
                _ => panic!("{deed:?} with room for {room}: {} {}", told.status, told.text()),
            }
        }
        home.disk.room(None);
        let wrong = load.look(&service.calls).await;
        assert!(wrong.is_empty(), "after room for {room}: {wrong:#?}");
        load.tidy(&service.calls).await;
    }
    assert!(full > 10 && done > 20, "{full} refused and {done} done: the room was never short, or always");
    service.stop().await;
    let wrong = look_behind(&home, &load).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
