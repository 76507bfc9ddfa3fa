-- DuckDB reads lines as text, throws most away by their first bytes, and parses only the rest as JSON. Right for files of
-- k6 0.41 and later that nobody has touched; it looks at one metric only and does not notice a damaged line.
WITH lines AS (
    FROM read_csv('FILE', columns = {line: 'VARCHAR'}, delim = E'\x01', quote = '', escape = '', header = false,
                  auto_detect = false)
    WHERE line LIKE '{"metric":"http_req_duration","type":"Point",%'
), samples AS (
    SELECT json_transform(line, '{"data": {"value": "DOUBLE", "tags": {"variant": "VARCHAR", "expected_response": "VARCHAR"}}}') AS s
    FROM lines
)
SELECT s.data.tags.variant AS variant, s.data.tags.expected_response AS ok, count(*), min(s.data.value), max(s.data.value),
       avg(s.data.value), quantile_cont(s.data.value, [0.5, 0.9, 0.95, 0.99])
FROM samples GROUP BY ALL ORDER BY ALL
