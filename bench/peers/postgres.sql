-- The seats of the PostgreSQL peer: one row each. `shows` and `seats` are psql variables: how many shows, seats in each.
-- Half of each page is left free, so that an update finds room beside the old row and touches no index.
CREATE TABLE seats (
  show_id int NOT NULL,
  seat int NOT NULL,
  version int NOT NULL DEFAULT 0,
  reservation bigint,
  expires_at timestamptz,
  PRIMARY KEY (show_id, seat)
) WITH (fillfactor = 50, autovacuum_enabled = false);
INSERT INTO seats (show_id, seat)
  SELECT show_id, seat FROM generate_series(0, :shows - 1) AS show_id, generate_series(0, :seats - 1) AS seat;
VACUUM ANALYZE seats;

-- Row locks: both rows are locked in order of seat, looked at, and taken. One transaction, committed by the answer.
CREATE FUNCTION reserve_by_locks(the_show int, one int, other int, the_reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  free int;
BEGIN
  SELECT count(*) INTO free FROM (
    SELECT 1 FROM seats WHERE show_id = the_show AND seat IN (one, other)
      AND (reservation IS NULL OR expires_at <= now()) ORDER BY seat FOR UPDATE) AS locked;
  IF free < 2 THEN
    RETURN false;
  END IF;
  UPDATE seats SET reservation = the_reservation, expires_at = now() + interval '10 minutes'
    WHERE show_id = the_show AND seat IN (one, other);
  RETURN true;
END $$;

-- A version column: both rows are read without a lock, and taken if nobody has changed them since; else all is undone.
CREATE FUNCTION reserve_by_versions(the_show int, one int, other int, the_reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  one_version int;
  other_version int;
  taken int;
BEGIN
  SELECT version INTO one_version FROM seats
    WHERE show_id = the_show AND seat = one AND (reservation IS NULL OR expires_at <= now());
  SELECT version INTO other_version FROM seats
    WHERE show_id = the_show AND seat = other AND (reservation IS NULL OR expires_at <= now());
  IF one_version IS NULL OR other_version IS NULL THEN
    RETURN false;
  END IF;
  UPDATE seats SET reservation = the_reservation, expires_at = now() + interval '10 minutes', version = version + 1
    WHERE show_id = the_show AND ((seat = one AND version = one_version) OR (seat = other AND version = other_version));
  GET DIAGNOSTICS taken = ROW_COUNT;
  IF taken < 2 THEN
    RAISE EXCEPTION 'somebody was faster' USING ERRCODE = '40001';
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION release(the_show int, one int, other int, the_reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  given_back int;
BEGIN
  UPDATE seats SET reservation = NULL, expires_at = NULL, version = version + 1
    WHERE show_id = the_show AND seat IN (one, other) AND reservation = the_reservation;
  GET DIAGNOSTICS given_back = ROW_COUNT;
  RETURN given_back = 2;
END $$;
