-- DuckDB reads any k6 file as JSON: only the fields that are needed are named, so nothing else is converted.
SELECT data.tags.variant AS variant, data.tags.expected_response AS ok, count(*), min(data.value), max(data.value),
       avg(data.value), quantile_cont(data.value, [0.5, 0.9, 0.95, 0.99])
FROM read_ndjson('FILE', columns = {metric: 'VARCHAR', type: 'VARCHAR',
     data: 'STRUCT(value DOUBLE, tags STRUCT(variant VARCHAR, expected_response VARCHAR))'})
WHERE type = 'Point' AND metric = 'http_req_duration'
GROUP BY ALL ORDER BY ALL
