//! Where each trap of the two providers' protocols, each bad picture and each bad webhook is tested: the numbers are those
//! of the catalogue that the project keeps of them. A row whose test is gone fails.

use std::fs;

use crate::support::source;

/// What goes wrong, the file of its test below the root, and the test's name.
#[rustfmt::skip]
const TESTED: &[(&str, &str, &str)] = &[
    ("trap 1: COMPLETED is not success",                   "tests/rooms/providers_fal.rs", "completed_does_not_mean_success"),
    ("trap 2: links drop the model's sub-path",            "tests/rooms/providers_fal.rs", "each_model_has_its_own_place"),
    ("trap 3: a string here, an integer there",            "tests/rooms/providers_fal.rs", "what_is_sent_is_what_the_model_takes_and_no_more"),
    ("trap 3: and jpg there",                              "tests/rooms/providers_replicate.rs", "what_is_sent_is_what_the_model_takes_and_no_more"),
    ("trap 4: payload and files are two things",           "tests/rooms/providers_fal.rs", "an_edit_goes_in_comes_out_and_leaves_nothing_behind"),
    ("trap 5: files are public and for ever by default",   "tests/rooms/providers_fal.rs", "a_file_that_could_not_be_deleted_is_said_so"),
    ("trap 6: uploads are covered by nothing",             "tests/rooms/editing_large.rs", "a_large_picture_is_fetched_from_us_and_the_address_dies_with_the_edit"),
    ("trap 6: and are never made",                         "tests/rooms/editing_large.rs", "without_an_address_of_ours_fal_is_not_asked_and_it_is_said_why"),
    ("trap 7: deletion needs the admin key",               "tests/rooms/providers_fal.rs", "deletion_needs_the_key_that_is_held_apart"),
    ("trap 7: and is 200 with exceptions in it",           "tests/rooms/providers_fal.rs", "a_file_that_could_not_be_deleted_is_said_so"),
    ("trap 8: six minutes, or an hour",                    "tests/rooms/providers_fal.rs", "a_result_inside_the_answer_makes_no_file"),
    ("trap 8: and no longer",                              "tests/rooms/providers_fal.rs", "a_result_lasts_an_hour_and_no_longer"),
    ("trap 9: a cancel proves nothing",                    "tests/rooms/providers_fal.rs", "a_cancel_proves_nothing"),
    ("trap 9: in the pipeline",                            "tests/rooms/editing.rs", "stopping_an_edit_gives_the_credits_back_and_leaves_no_copy"),
    ("trap 10: the queue retries and reroutes",            "src/fakes/fal/check.rs", "privacy"),
    ("trap 11: the time-out is until work starts",         "tests/rooms/providers_fal.rs", "a_job_that_never_arrived_is_absent_once_time_has_passed"),
    ("trap 12: Ed25519 over four lines, raw bytes",        "src/providers/fal/hook.rs", "the_message_is_four_lines_to_the_byte"),
    ("trap 12: every byte counts",                         "src/providers/fal/hook.rs", "no_byte_of_body_or_signature_can_be_another"),
    ("trap 13: a submit is never sent again",              "tests/rooms/providers_fal.rs", "a_lost_answer_is_reconciled_and_never_sent_again"),
    ("trap 14: results and errors echo the prompt",        "tests/rooms/providers_fal.rs", "no_prompt_key_or_picture_shows_anywhere"),
    ("trap 15: history is searched by likeness",           "tests/rooms/providers_fal.rs", "an_edit_goes_in_comes_out_and_leaves_nothing_behind"),
    ("trap 16: there is no call that deletes",             "tests/rooms/providers_replicate.rs", "an_edit_goes_in_comes_out_and_is_seen_to_be_removed"),
    ("trap 17: after an hour the result is gone",          "tests/rooms/providers_replicate.rs", "after_an_hour_the_result_is_gone"),
    ("trap 18: aborted",                                   "tests/rooms/providers_replicate.rs", "a_deadline_that_passes_before_the_start_aborts"),
    ("trap 18: and words nobody knows yet",                "src/providers/replicate/wire.rs", "every_status_has_a_meaning_and_a_new_one_is_not_an_end"),
    ("trap 19: unknown fields are refused",                "src/fakes/replicate/check.rs", "body"),
    ("trap 20: safety, and exactly two pictures",          "tests/rooms/editing_many.rs", "what_replicate_does_not_take_is_said_at_the_asking"),
    ("trap 21: webhooks carry everything, and replay",     "src/providers/replicate/hook.rs", "an_old_an_early_and_a_senseless_time_are_refused"),
    ("trap 22: a string or a list",                        "src/providers/replicate/wire.rs", "an_output_is_a_string_or_a_list_of_strings"),
    ("trap 23: waiting that ended is no failure",          "tests/rooms/providers_replicate.rs", "an_edit_goes_in_comes_out_and_is_seen_to_be_removed"),
    ("trap 47: links are secrets and never logged",        "tests/rooms/providers_egress.rs", "nothing_secret_shows_in_a_call_or_its_error"),
    ("B01: twenty thousand squared",                       "src/imaging/tests/hostile.rs", "twenty_thousand_squared_is_refused_by_its_header"),
    ("B02: a header that promises too little",             "src/imaging/tests/hostile.rs", "a_header_that_promises_less_bounds_what_is_decoded"),
    ("B02: or too much",                                   "src/imaging/tests/hostile.rs", "a_header_that_promises_more_rows_than_there_are_is_damaged"),
    ("B03: animations",                                    "src/imaging/tests/hostile.rs", "animations_are_refused"),
    ("B04: ten thousand scans",                            "src/imaging/tests/hostile.rs", "a_thousand_passes_and_a_million_parts_are_refused"),
    ("B05: chunk bombs",                                   "src/imaging/tests/hostile.rs", "compressed_text_is_never_unpacked_nor_a_profile_of_any_size"),
    ("B06: cut at every byte",                             "src/imaging/tests/hostile.rs", "a_sample_cut_at_any_byte_is_invalid"),
    ("B07: sizes that cannot be",                          "src/imaging/tests/hostile.rs", "sizes_that_cannot_be_or_are_too_long_are_refused_before_decoding"),
    ("B08: polyglots",                                     "src/imaging/tests/hostile.rs", "nothing_behind_the_end_of_a_picture_gets_through"),
    ("B09: HTML or SVG under another name",                "tests/http/bad_input.rs", "a13_and_a14_only_the_types_that_are_taken_are_taken"),
    ("B10: SVG that acts",                                 "tests/http/bad_input.rs", "a13_and_a14_only_the_types_that_are_taken_are_taken"),
    ("B11: place, maker, thumbnail",                       "src/imaging/tests/mod.rs", "stripping_leaves_no_metadata_and_every_pixel"),
    ("B12: XMP, IPTC, JUMBF, a motion video",              "src/imaging/tests/hostile.rs", "odd_places_to_hide_in_are_emptied"),
    ("B13: EXIF that loops",                               "src/imaging/tests/hostile.rs", "a_camera_block_that_loops_lies_or_points_nowhere_is_only_dropped"),
    ("B14: each orientation",                              "src/imaging/tests/mod.rs", "every_orientation_comes_out_upright"),
    ("B14: and one that is none",                          "src/imaging/tests/hostile.rs", "an_orientation_that_does_not_exist_is_upright"),
    ("B15: CMYK, 16 bit, grey, palettes",                  "src/imaging/tests/hostile.rs", "unusual_but_honest_pictures_pass"),
    ("B16: colour profiles",                               "src/imaging/tests/hostile.rs", "a_profile_stays_but_not_its_name"),
    ("B17: types that are not taken",                      "tests/http/bad_input.rs", "a13_and_a14_only_the_types_that_are_taken_are_taken"),
    ("B18: declared one thing, being another",             "tests/rooms/editing_hostile.rs", "the_same_bytes_of_two_people_are_two_pictures"),
    ("B19: names are our own",                             "tests/http/resources.rs", "a_picture_comes_in_stripped_and_goes_by_its_rule"),
    ("B20: an upload that stops half way",                 "tests/rooms/vault.rs", "a_body_that_breaks_off_leaves_nothing"),
    ("B21: the same bytes of two people",                  "tests/rooms/editing_hostile.rs", "the_same_bytes_of_two_people_are_two_pictures"),
    ("B22: HTML, nothing, five billion bytes",             "tests/rooms/editing.rs", "what_is_no_picture_is_not_taken"),
    ("B22, B01-B09: what a result may be instead",         "tests/rooms/editing_hostile.rs", "a_result_that_is_no_picture_is_given_to_nobody_and_not_paid_for"),
    ("B08, B11, B12, B16, B18: what it may carry",         "tests/rooms/editing_hostile.rs", "what_a_result_carries_besides_its_picture_is_not_stored"),
    ("B22: another's job",                                 "src/providers/fal/wire.rs", "completed_is_not_success"),
    ("E01, E02: addresses in every spelling",              "tests/rooms/providers_egress.rs", "every_spelling_of_an_address_of_the_house_is_refused"),
    ("E03: names that change their mind",                  "tests/rooms/providers_egress.rs", "a_name_is_judged_by_the_addresses_that_are_dialled"),
    ("E04: redirects",                                     "tests/rooms/providers_egress.rs", "a_redirect_is_an_answer_and_not_an_order"),
    ("E05: bodies without end, silence",                   "tests/rooms/providers_egress.rs", "bytes_and_time_are_capped"),
    ("E07, E08, E10: at FAL.AI's door",                    "tests/rooms/editing_hostile.rs", "a_webhook_that_is_not_proven_changes_nothing_at_fal"),
    ("E07, E08, E09, E10: at Replicate's",                 "tests/rooms/editing_hostile.rs", "a_webhook_that_is_not_proven_changes_nothing_at_replicate"),
    ("E07: a second key while they overlap",               "src/providers/replicate/hook.rs", "the_known_signature_passes_alone_and_among_others"),
    ("E07: keys that rotate",                              "tests/rooms/providers_fal_hooks.rs", "keys_that_were_changed_are_found_and_the_old_ones_no_longer_count"),
    ("E09: twice, in another order, with the asking",      "tests/rooms/editing_many.rs", "webhooks_in_any_order_twice_and_at_once_with_the_asking_have_one_effect"),
    ("E11: nobody's",                                      "tests/rooms/editing.rs", "a_webhook_counts_when_it_is_signed_and_leads_to_what_was_lost"),
    ("E11: ended or erased",                               "tests/rooms/editing_hostile.rs", "a_webhook_for_what_has_ended_or_was_erased_has_no_effect"),
    ("E12: before our own answer is known",                "tests/rooms/editing.rs", "a_webhook_counts_when_it_is_signed_and_leads_to_what_was_lost"),
];

#[test]
fn each_has_its_test() {
    for (what, file, test) in TESTED {
        let text = fs::read_to_string(source::root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(text.contains(&format!("fn {test}(")), "{what}: there is no {test} in {file}");
    }
    let said = |row: &str| {
        let whole = |what: &str| what.split([':', ',']).any(|part| part.trim() == row);
        TESTED.iter().any(|(what, ..)| whole(what))
    };
    let rows = (1..=23).map(|n| format!("trap {n}")).chain((1..=22).map(|n| format!("B{n:02}")));
    // E06 is about webhooks that we send.
    let hooks = (1..=12).filter(|n| *n != 6).map(|n| format!("E{n:02}"));
    let missing: Vec<String> = rows.chain(hooks).filter(|row| !said(row)).collect();
    assert_eq!(missing, Vec::<String>::new(), "each row has a test");
}
