DROP TABLE IF EXISTS customers;
DROP TABLE IF EXISTS orders;

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    city TEXT NOT NULL,
    since TEXT NOT NULL
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    product TEXT NOT NULL,
    pieces INTEGER NOT NULL,
    price REAL NOT NULL,
    state TEXT NOT NULL,
    ordered TEXT NOT NULL
);

WITH
    first(number, name) AS (VALUES (0, 'Ada'), (1, 'Ben'), (2, 'Chloé'), (3, 'Dmitri'), (4, 'Elif'), (5, 'Fatima'), (6, 'Grace'), (7, 'Hiro'), (8, 'Ines'), (9, 'Jürgen')),
    last(number, name) AS (VALUES (0, 'Lovelace'), (1, 'Okafor'), (2, 'Novak'), (3, 'Tanaka'), (4, 'Silva'), (5, 'Yılmaz'), (6, 'Berg'), (7, 'O''Neil'), (8, 'Haddad'), (9, 'Moreau'), (10, 'Kowalski'), (11, 'Ng')),
    city(number, name) AS (VALUES (0, 'Lyon'), (1, 'Zürich'), (2, 'Kraków'), (3, 'Osaka'), (4, 'Porto'), (5, 'Galway'), (6, 'İzmir'))
INSERT INTO customers (id, name, email, city, since)
SELECT
    1 + first.number + 10 * last.number,
    first.name || ' ' || last.name,
    'customer' || (1 + first.number + 10 * last.number) || '@example.com',
    city.name,
    date('2021-01-04', '+' || (11 * (first.number + 10 * last.number)) || ' days')
FROM first, last JOIN city ON city.number = (3 * first.number + 5 * last.number) % 7;

WITH RECURSIVE
    numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 400),
    product(number, name, price) AS (VALUES (0, 'lamp', 39.9), (1, 'desk', 249.0), (2, 'chair', 119.5), (3, 'shelf', 84.0), (4, 'rug', 65.25)),
    state(number, name) AS (VALUES (0, 'delivered'), (1, 'delivered'), (2, 'open'), (3, 'returned'))
INSERT INTO orders (id, customer, product, pieces, price, state, ordered)
SELECT
    numbers.number,
    1 + (numbers.number * 37) % 120,
    product.name,
    1 + (numbers.number * 7) % 4,
    product.price,
    state.name,
    date('2025-01-02', '+' || numbers.number || ' days')
FROM numbers
JOIN product ON product.number = (numbers.number * 13) % 5
JOIN state ON state.number = (numbers.number * 11 + numbers.number / 9) % 4;
