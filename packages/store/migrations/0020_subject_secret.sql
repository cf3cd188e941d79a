-- Whether the secret under which people are found is the one that it was when the payload key came into use.

-- HMAC-SHA-256 of the secret `subject` of `ledger_secret` under the payload key that `key` names, in hexadecimal, as the
-- record says: the log, and not this row, is what the secret is held against. Null where nothing is sealed, and where the
-- record is of before.
alter table payload_sealing add column fingerprint text;
