"""Durable reserve over HTTP with 64 connections and 16 requests in flight on each."""

from driver.http_reserve import closed_loop

PARTS = {"http_reserve_pipelined": lambda bench: closed_loop(bench, "http_reserve_pipelined", 64, 16, 0.60)}
