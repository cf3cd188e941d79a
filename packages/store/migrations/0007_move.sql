-- Moving a log to another database (`bailiwick migrate-to`). While `move_state` says something, the head takes no batch:
--
--   leaving   the log is being copied to somewhere else, or was when whoever did it died
--   moved     it goes on somewhere else, for good
--   arriving  it is being copied to here
--   arrived   all of it is here; whether it goes on here is decided in the data directory
alter table ledger_head
  -- Of the move; kept when it is over, so that a later attempt is known for the same one.
  add column move_id text,
  add column move_state text check (move_state in ('leaving', 'moved', 'arriving', 'arrived')),
  -- Where the log goes to or comes from, for people; never with a password.
  add column move_other text,
  add check (move_state is null or move_id is not null);

-- An update that is skipped here matches no row for whoever made it, as where another writer was faster: nothing of its
-- batch is written, and reading the head anew tells why. It holds whatever statement appends, and in processes that
-- had the log open before.
create function skip_update_of_closed_head() returns trigger language plpgsql as $$
begin
  return null;
end
$$;
create trigger closed_head before update on ledger_head for each row
  when (old.move_state is not null and new.move_state is not distinct from old.move_state)
  execute function skip_update_of_closed_head();
