"""The checker of kill_test.py sees what it is there to see: each planted fault is named, an honest history is not."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from model import Model, Request, judge_map  # noqa: E402

FREE = {"A1": "available", "A2": "available", "A3": "available"}


def request(kind, seats, began=1.0, holding=None, owner="u"):
    return Request(kind, owner, "S", tuple(seats), "key", holding, began=began)


class ModelTest(unittest.TestCase):
    def setUp(self):
        self.model = Model()

    def judged(self, **changes):
        return list(judge_map(self.model, "S", {**FREE, **changes}))

    def test_honest_history_has_no_violation(self):
        holding = self.model.on_reserved(request("reserve", ["A1"]), "r1")
        self.assertEqual(self.judged(A1="reserved"), [])
        self.model.on_booked(holding, "b1", ())
        self.assertEqual(self.judged(A1="booked"), [])
        leave = request("cancel", ["A1"], holding=holding)
        self.model.on_leaving(leave)
        self.model.on_left(leave, 2.0)
        self.assertEqual(self.judged(), [])
        self.assertEqual(self.model.violations, [])

    def test_lost_reservation_is_named(self):
        self.model.on_reserved(request("reserve", ["A1"]), "r1")
        self.assertIn("lost", self.judged()[0])

    def test_booking_that_fell_back_to_reserved_is_named(self):
        self.model.on_booked(self.model.on_reserved(request("reserve", ["A1"]), "r1"), "b1", ())
        self.assertIn("but booked", self.judged(A1="reserved")[0])

    def test_seat_sold_twice_is_named(self):
        self.model.on_reserved(request("reserve", ["A1", "A2"]), "r1")
        self.model.on_reserved(request("reserve", ["A2"], owner="v"), "r2")
        self.assertIn("sold twice", self.model.violations[0])

    def test_seat_taken_by_nobody_is_named(self):
        self.assertIn("nobody who asked", self.judged(A2="reserved")[0])

    def test_reserve_in_doubt_explains_its_seats_wholly_or_not_at_all(self):
        self.model.in_doubt = [request("reserve", ["A1", "A2"])]
        self.assertEqual(self.judged(), [])
        self.assertEqual(self.judged(A1="reserved", A2="reserved"), [])
        self.assertIn("half reserved", self.judged(A1="reserved")[0])

    def test_seen_refusal_taken_back_is_named(self):
        self.model.in_doubt = [request("reserve", ["A1"])]
        self.model.on_seen_taken("S", ["A1"], 3.0)
        self.assertIn("seen taken", self.judged()[0])
        self.assertEqual(self.judged(A1="reserved"), [])

    def test_release_before_the_sight_does_not_excuse_and_one_in_doubt_does(self):
        holding = self.model.on_reserved(request("reserve", ["A1"]), "r1")
        leave = request("release", ["A1"], holding=holding)
        self.model.on_leaving(leave)
        self.model.on_seen_taken("S", ["A1"], 3.0)
        self.assertEqual(self.judged(), [])
        self.model.on_left(leave, 2.0)
        self.assertIn("seen taken", self.judged()[0])

    def test_seat_map_that_falls_is_named(self):
        self.model.on_map("S", 5, FREE, 1.0, 0)
        self.model.on_map("S", 4, FREE, 2.0, 5)
        self.assertIn("fell from lsn 5 to 4", self.model.violations[0])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    bad = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - bad} checks passed, {bad} failed")
    sys.exit(1 if bad else 0)
