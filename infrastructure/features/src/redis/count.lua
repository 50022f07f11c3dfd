-- Counts one payment and reads the features that are asked of it, in one step.
--
-- A subject's past is one hash:
--   c<level><slot>           payments of a bucket in all currencies: its number, then attempted, approved, declined
--   <currency><level><slot>  their amounts likewise; level and slot are a byte and two
--   w                        makes a large hash a table, see below
--   d<filter><kind>          other subjects of a kind, and when each was seen last; the stalest first
-- A bucket of level 0 is a second wide, one of each further level eight times as wide as one below it. Bucket n of a level
-- lies in slot n % SLOTS, where it takes the place of one that no window reaches any more: the hash never grows beyond
-- that, and nothing has to be cleared away.
--
-- A payment is one string: `s` once it has settled, else `-`, then four bytes of each subject that it was counted with, the
-- latest first.
--
-- KEYS: the payment, then its subjects.
-- ARGV: the filter to count under (0 attempted, 1 approved, 2 declined), the payment's second, currency and minor units,
--   the bound of distinct, how many seconds a payment and a subject are kept; then for each subject its kind and digest;
--   then for each feature the place of its subject, the measure (c, a or d), filter, window and, for d, the kind of the other.
local LEVELS, WIDER, SLOTS = 8, 8, 1024
-- A window is read from buckets of at most this part of its length, so that it reaches back too far by no more.
local PART = 64
-- How far ahead of this server's clock a payment may be dated: more than clocks of one cluster differ.
local AHEAD = 300
-- Below 2^53, up to which every whole number can be told.
local MAX_AMOUNT, MAX_COUNT = 9007199254740991, 4294967295
-- How many subjects of a payment are remembered: all of one request, and some of earlier ones of the same name.
local MARKS = 12
-- How a bucket is packed: its number, then what was attempted, approved and declined.
local COUNTS, AMOUNTS = '<I4I4I4I4', '<I4ddd'
-- Redis looks through a small hash field by field, which takes the least room; from this many fields on that would take
-- longer than everything else. A value of more than 64 bytes makes it a table, once and for good.
local MAX_NARROW, WIDE = 64, string.rep('.', 65)

local call, pack, unpacked, char, floor = redis.call, struct.pack, struct.unpack, string.char, math.floor

local filter, second, currency, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local max_distinct, payment_ttl, subject_ttl = tonumber(ARGV[5]), ARGV[6], ARGV[7]
-- No payment is dated later than that, so nothing is counted behind it.
local latest = tonumber(call('TIME')[1]) + AHEAD
second = math.min(second, latest)
local stamp = pack('<I4', second)

local width = {}
for level = 0, LEVELS - 1 do width[level] = WIDER ^ level end

local subjects, next_arg = {}, 8
for place = 2, #KEYS do
    subjects[place - 1] = { key = KEYS[place], kind = ARGV[next_arg], digest = ARGV[next_arg + 1] }
    next_arg = next_arg + 2
end

-- Where a digest stands among entries of a size, `before` bytes into one; nil where it does not.
local function place_of(packed, digest, size, before)
    local from = 1
    while true do
        local at = string.find(packed, digest, from, true)
        if not at or (at - 1 - before) % size == 0 then return at end
        from = at + 1
    end
end

local function slot(level, bucket)
    local number = bucket % SLOTS
    return char(level, floor(number / 256), number % 256)
end

-- The payment's own bucket on each level, and where it is counted and summed: the same with every subject.
local own_bucket, own_fields = {}, {}
for level = 0, LEVELS - 1 do
    local bucket = floor(second / width[level])
    local at = slot(level, bucket)
    own_bucket[level] = bucket
    own_fields[2 * level + 1], own_fields[2 * level + 2] = 'c' .. at, currency .. at
end

-- The payment's own bucket with the payment in it, from nothing where the slot holds an older one; nil where it holds a
-- later one, which stays. A later one than can be was written while this server's clock was wrong.
local function with_payment(packed, format, level, more, most)
    local bucket = own_bucket[level]
    local attempted, approved, declined = 0, 0, 0
    if packed then
        local known, a, b, c = unpacked(format, packed)
        if known == bucket then
            attempted, approved, declined = a, b, c
        elseif known > bucket and known * width[level] <= latest then
            return nil
        end
    end
    if filter == 0 then
        attempted = attempted + more
        if attempted > most then attempted = most end
    elseif filter == 1 then
        approved = approved + more
        if approved > most then approved = most end
    else
        declined = declined + more
        if declined > most then declined = most end
    end
    return pack(format, bucket, attempted, approved, declined)
end

-- The other subjects with one more, or the same one seen again; nil where nothing changes.
local function met(packed, digest)
    if not packed then return stamp .. digest end
    local at = place_of(packed, digest, 12, 4)
    if at then
        if unpacked('<I4', packed, at - 4) >= second then return nil end
        packed = packed:sub(1, at - 5) .. packed:sub(at + 8)
    end
    local place = #packed
    while place > 0 and unpacked('<I4', packed, place - 11) > second do place = place - 12 end
    if place == #packed then
        packed = packed .. stamp .. digest
    else
        packed = packed:sub(1, place) .. stamp .. digest .. packed:sub(place + 1)
    end
    local most = 12 * max_distinct
    return #packed > most and packed:sub(#packed - most + 1) or packed
end

-- Notes the payment with one of its subjects; counts it where it was not counted with that one before.
local function record(own, is_new)
    local fields, others = { 'w' }, {}
    for place, other in ipairs(subjects) do
        if place ~= own then
            others[#others + 1] = other
            fields[#fields + 1] = 'd' .. filter .. other.kind
        end
    end
    if is_new then
        for index = 1, 2 * LEVELS do fields[#others + 1 + index] = own_fields[index] end
    end
    local key = subjects[own].key
    local known, writes, count = call('HMGET', key, unpack(fields)), {}, 0
    local function write(index, value)
        if value then
            writes[count + 1], writes[count + 2] = fields[index], value
            count = count + 2
        end
    end
    if not known[1] and call('HLEN', key) > MAX_NARROW then write(1, WIDE) end
    for index, other in ipairs(others) do write(index + 1, met(known[index + 1], other.digest)) end
    if is_new then
        for level = 0, LEVELS - 1 do
            local index = #others + 2 * level + 2
            write(index, with_payment(known[index], COUNTS, level, 1, MAX_COUNT))
            write(index + 1, with_payment(known[index + 1], AMOUNTS, level, amount, MAX_AMOUNT))
        end
    end
    if count > 0 then call('HSET', key, unpack(writes)) end
    call('EXPIRE', key, subject_ttl)
end

local function count_attempt()
    local known = call('GET', KEYS[1]) or '-'
    local marks, new, any = known:sub(2), {}, false
    for place, subject in ipairs(subjects) do
        local mark = subject.digest:sub(1, 4)
        local at = place_of(marks, mark, 4, 0)
        if at then
            marks = marks:sub(1, at - 1) .. marks:sub(at + 4)
        else
            new[place], any = true, true
        end
        marks = mark .. marks
    end
    call('SET', KEYS[1], known:sub(1, 1) .. marks:sub(1, 4 * MARKS), 'EX', payment_ttl)
    if any then
        for place = 1, #subjects do record(place, new[place]) end
    end
end

local function count_end()
    local known = call('GET', KEYS[1])
    if not known or known:sub(1, 1) == 's' then return end
    call('SET', KEYS[1], 's' .. known:sub(2), 'EX', payment_ttl)
    for place = 1, #subjects do record(place, true) end
end

-- The fewest buckets that hold everything from a window's first second on: fine ones at its edge, ever wider ones behind.
local function buckets_of(window)
    local level = 0
    while level < LEVELS - 1 and window >= PART * width[level + 1] do level = level + 1 end
    local first = floor(math.max(0, second + 1 - window) / width[level])
    local slots, buckets, count = {}, {}, 0
    while true do
        local last, widest = floor(latest / width[level]), level == LEVELS - 1
        while first <= last and (widest or first % WIDER ~= 0) do
            count = count + 1
            slots[count], buckets[count] = slot(level, first), first
            first = first + 1
        end
        if first > last then return { slots = slots, buckets = buckets } end
        level, first = level + 1, first / WIDER
    end
end

local windows = {}
local function sum(key, prefix, format, which, window)
    local found = windows[window] or buckets_of(window)
    windows[window] = found
    local fields = {}
    for index, at in ipairs(found.slots) do fields[index] = prefix .. at end
    local total, buckets = 0, found.buckets
    for index, packed in ipairs(call('HMGET', key, unpack(fields))) do
        if packed then
            local bucket, attempted, approved, declined = unpacked(format, packed)
            if bucket == buckets[index] then
                total = total + (which == 0 and attempted or which == 1 and approved or declined)
            end
        end
    end
    return math.min(total, MAX_AMOUNT)
end

-- How many of the others were seen since the window began; they are in the order in which they were.
local function distinct(key, which, kind, window)
    local packed = call('HGET', key, 'd' .. which .. kind) or ''
    local low, high, from = 0, #packed / 12, second + 1 - window
    while low < high do
        local middle = floor((low + high) / 2)
        if unpacked('<I4', packed, 12 * middle + 1) < from then low = middle + 1 else high = middle end
    end
    return #packed / 12 - low
end

if filter == 0 then count_attempt() else count_end() end

local values = {}
while next_arg <= #ARGV do
    local subject, measure, which = subjects[tonumber(ARGV[next_arg])], ARGV[next_arg + 1], tonumber(ARGV[next_arg + 2])
    local window, other = tonumber(ARGV[next_arg + 3]), ARGV[next_arg + 4]
    local value
    if measure == 'a' then
        value = sum(subject.key, currency, AMOUNTS, which, window)
    elseif measure == 'c' then
        value = sum(subject.key, 'c', COUNTS, which, window)
    elseif other == subject.kind then
        -- A subject is only ever seen together with itself.
        value = math.min(1, sum(subject.key, 'c', COUNTS, which, window))
    else
        value = distinct(subject.key, which, other, window)
    end
    values[#values + 1] = value
    next_arg = next_arg + 5
end
return values
