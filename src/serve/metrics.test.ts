/** Metrics are in the text format that Prometheus reads, checked line by line against its grammar. */
import { expect, test } from "vitest";
import { Metrics } from "./metrics.ts";

test("counts, states and histograms", () => {
  const metrics = new Metrics();
  metrics.requests.add({ route: "/predict", status: "200" });
  metrics.requests.add({ route: "/predict", status: "200" }, 2);
  metrics.inFlight.set({}, 3);
  for (const rows of [1, 3, 200]) metrics.batchRows.observe({ model: 'a"b' }, rows);
  const lines = metrics.text().trimEnd().split("\n");
  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
  const grammar = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [\d.e+-]+)$/;
  expect(lines.filter((line) => !grammar.test(line))).toEqual([]);
  expect(lines).toEqual(
    expect.arrayContaining([
      'sardonyx_requests_total{route="/predict",status="200"} 3',
      "sardonyx_requests_in_flight 3",
      'sardonyx_batch_rows_bucket{model="a\\"b",le="2"} 1',
      'sardonyx_batch_rows_bucket{model="a\\"b",le="4"} 2',
      'sardonyx_batch_rows_bucket{model="a\\"b",le="+Inf"} 3',
      'sardonyx_batch_rows_sum{model="a\\"b"} 204',
      'sardonyx_batch_rows_count{model="a\\"b"} 3',
    ]),
  );
});
