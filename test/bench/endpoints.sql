-- What ndjson.sql asks, by endpoint: ids in the URL's path become one name, as analyze.java takes them.
SELECT regexp_replace(data.tags.name, '([^/])/([0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+)', '\1/{id}', 'g') AS endpoint,
       data.tags.expected_response AS ok, count(*), min(data.value), max(data.value),
       avg(data.value), quantile_cont(data.value, [0.5, 0.9, 0.95, 0.99])
FROM read_ndjson('FILE', columns = {metric: 'VARCHAR', type: 'VARCHAR',
     data: 'STRUCT(value DOUBLE, tags STRUCT(name VARCHAR, expected_response VARCHAR))'})
WHERE type = 'Point' AND metric = 'http_req_duration'
GROUP BY ALL ORDER BY ALL
