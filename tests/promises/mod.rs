//! One file for each promise that the two shipped documents make, named after what is promised. A file comes with its
//! first test; what is listed here and has no file is not yet proved from outside.
//!
//! | file | promised |
//! |---|---|
//! | `account_data` | declared, sealed, shown to its owner, correctable |
//! | `declared_only` | nothing that no category declares can be stored |
//! | `usage_and_credits` | kept for declared purposes only, at most two years |
//! | `billing` | signed events in, in the take-home, erased at the processor, what law keeps stays |
//! | `device_data` | declared, minimised, kept by rule |
//! | `cookies_and_analytics` | refusable; no cookie but the session's |
//! | `object_storage` | ciphertext only, over the bucket's own protocol |
//! | `who_may_read` | the document's roles, on every read; refusals and staff reads on the ledger |
//! | `temporary_files` | inputs gone when the edit is, at the provider too |
//! | `transport` | TLS out, secure cookies and HSTS in |
//! | `audits` | dated evidence of self-checks and access reviews |
//! | `no_training` | off until consented to, withdrawn at once |
//! | `own_edits_only` | a provider is called for an edit its owner asked for, and nothing else |
//! | `no_sale` | no disclosure outside the register |
//! | `changes_are_told` | versions, notices, what was accepted |
//! | `mail_becomes_a_request` | the address and subject line of the policy |
//! | `rights` | each right, from filing to proof |
//! | `retention` | each category's clock |
//! | `analytics_objection` | improvement and analytics end when objected to |
//! | `inputs_within_48_hours` | both clocks of a temporary upload |
//! | `logs_are_technical` | no image byte, prompt or address in any log line |
//! | `own_artwork` | encrypted, deletable at any time |
//! | `inactive_accounts` | warned by mail, then cleaned up |
//! | `provider_keeps_nothing` | predictions and files deleted, webhooks verified |
//! | `outside_identity` | tokens verified by key set, accounts erased at the identity provider |
//! | `restriction` | honoured within the second, with a history |
//! | `answered_in_72_hours` | a clock on each request, shown and escalated |
