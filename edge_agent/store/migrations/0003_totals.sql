-- Totals of each job that grow with the journal, so that its progress costs the same after ten reports
-- and after ten thousand.

-- What was reported up to seq, net of corrections: a quantity in millionths, or a number of facts where
-- they have none. requirement: '' for what is about no line.
CREATE TABLE job_total (
    job TEXT NOT NULL,
    kind TEXT NOT NULL,
    requirement TEXT NOT NULL,
    seq INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (job, kind, requirement, seq)
) STRICT, WITHOUT ROWID;

-- What a fact does to the progress of its job. A correction does what the fact did that it takes back,
-- with the sign turned.
CREATE VIEW effect (job, kind, requirement, seq, amount) AS
SELECT
    j.about, coalesce(f.kind, j.kind), coalesce(f.requirement, j.requirement, ''), j.seq,
    CASE WHEN f.seq IS NULL THEN coalesce(j.millionths, 1) ELSE -coalesce(f.millionths, 1) END
FROM journal j
LEFT JOIN journal f ON f.id = j.corrects
WHERE coalesce(f.kind, j.kind) IN (
    'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted', 'MaterialMoved', 'MaterialShort'
);

INSERT INTO job_total
SELECT job, kind, requirement, seq, sum(amount) OVER (PARTITION BY job, kind, requirement ORDER BY seq)
FROM effect;

CREATE TRIGGER journal_total AFTER INSERT ON journal
BEGIN
    INSERT INTO job_total
    SELECT
        e.job, e.kind, e.requirement, e.seq,
        e.amount + coalesce((
            SELECT amount FROM job_total t
            WHERE t.job = e.job AND t.kind = e.kind AND t.requirement = e.requirement
            ORDER BY seq DESC LIMIT 1
        ), 0)
    FROM effect e
    WHERE e.seq = NEW.seq;
END;

DROP VIEW line_effect;
DROP VIEW job_progress;
DROP VIEW job_effect;

-- The law: what the ERP has booked plus what it has not seen. For each kind of fact about a job, and for
-- each line of its plan: `reported`, all of ours; `done`, what the ERP has booked and of ours what its
-- figures do not hold: the facts after as_of_seq, and those before it that it did not take. Quantities in
-- millionths; JobStarted and JobCompleted are counted. The ERP keeps no figure of what was short.
CREATE VIEW job_progress (job, kind, requirement, done, reported) AS
WITH asked (job, connector, as_of_seq, kind, requirement, booked) AS (
    SELECT
        p.id, p.connector, p.as_of_seq, k.kind, '',
        CASE k.kind
            WHEN 'MaterialProduced' THEN round(json_extract(p.payload, '$.good') * 1000000.0)
            WHEN 'MaterialScrapped' THEN round(json_extract(p.payload, '$.scrap') * 1000000.0)
            WHEN 'JobCompleted' THEN json_extract(p.payload, '$.dispatch_status') = 'Completed'
            ELSE 0
        END
    FROM plan p
    CROSS JOIN (
        SELECT 'JobStarted' AS kind UNION ALL SELECT 'MaterialProduced'
        UNION ALL SELECT 'MaterialScrapped' UNION ALL SELECT 'JobCompleted'
    ) k
    WHERE p.kind = 'JobOrder'
    UNION ALL
    SELECT
        p.id, p.connector, p.as_of_seq, k.kind, json_extract(r.value, '$.id'),
        CASE k.kind WHEN 'MaterialMoved' THEN round(json_extract(r.value, '$.done') * 1000000.0) ELSE 0 END
    FROM plan p
    CROSS JOIN json_each(p.payload, '$.requirements') r
    CROSS JOIN (SELECT 'MaterialMoved' AS kind UNION ALL SELECT 'MaterialShort') k
    WHERE p.kind = 'JobOrder'
),
summed (job, kind, requirement, booked, reported, seen, refused) AS (
    SELECT
        a.job, a.kind, a.requirement, CAST(a.booked AS INTEGER),
        (
            SELECT amount FROM job_total t
            WHERE t.job = a.job AND t.kind = a.kind AND t.requirement = a.requirement
            ORDER BY seq DESC LIMIT 1
        ),
        (
            SELECT amount FROM job_total t
            WHERE t.job = a.job AND t.kind = a.kind AND t.requirement = a.requirement AND t.seq <= a.as_of_seq
            ORDER BY seq DESC LIMIT 1
        ),
        (
            SELECT sum(e.amount) FROM parked k
            JOIN effect e ON e.seq = k.seq AND e.kind = a.kind AND e.requirement = a.requirement
            WHERE k.connector = a.connector AND k.about = a.job AND k.seq <= a.as_of_seq
                AND k.state IN ('refused', 'held', 'retry', 'booked')
        )
    FROM asked a
)
SELECT
    job, kind, requirement,
    booked + coalesce(reported, 0) - coalesce(seen, 0) + coalesce(refused, 0), coalesce(reported, 0)
FROM summed;
