-- What a queue of jobs adds to the steps in queues.lua: the job's status changes in the same step
-- in which its id moves. A job is a hash:
--
--   job.3f2c…   id, status, start, end; worker, result, plot, error; expires (seconds);
--               history: "1764000000.000000 submitted\n1764000001.500000 in progress\n"
--   jobs        every id, sorted by the time of its submission

local job_prefix, index = KEYS[2], KEYS[3]
local CHANGES = {
  submitted = {['in progress'] = true},
  ['in progress'] = {complete = true, failed = true},
  complete = {},
  failed = {},
}

local function key_of(message)
  local readable, id = pcall(cjson.decode, message)
  return job_prefix .. (readable and type(id) == 'string' and id or '')
end

local function change(key, status)
  local history = call('HGET', key, 'history') or ''
  history = history .. string.format('%.6f %s\n', now, status)
  call('HSET', key, 'status', status, 'history', history)
  if not next(CHANGES[status]) then
    call('EXPIRE', key, call('HGET', key, 'expires'))
  end
end

local function is_done_by(key, worker)
  local job = call('HMGET', key, 'status', 'worker')
  return job[1] == 'in progress' and job[2] == worker
end

-- An id may stand on the queue twice; its job is done once.
function on.claim(message, worker)
  local key = key_of(message)
  local job = call('HMGET', key, 'id', 'start', 'end', 'status', 'worker')
  local status, holder = job[4], job[5]
  if not status then return 'there is no such job' end
  if status == 'complete' or status == 'failed' then return '' end
  if holder and holder ~= worker and call('LPOS', held(holder), message) then return '' end
  if not is_done_by(key, worker) then
    call('HSET', key, 'worker', worker)
    if status == 'submitted' then change(key, 'in progress') end
  end
  return nil, {job[1], 'in progress', job[2], job[3]}
end

function on.acknowledge(message, worker, outcome, value, extra)
  local key = key_of(message)
  if not is_done_by(key, worker) then return end
  if outcome == 'failed' then
    call('HSET', key, 'error', value)
    return change(key, 'failed')
  end
  if value ~= '' then call('HSET', key, 'result', value, 'plot', extra) end
  change(key, 'complete')
end

function on.requeue(message, worker)
  local key = key_of(message)
  if is_done_by(key, worker) then change(key, 'submitted') end
end

function on.dead_letter(message, reason)
  local key = key_of(message)
  if call('HGET', key, 'status') == 'in progress' then
    call('HSET', key, 'error', reason)
    change(key, 'failed')
  end
end

-- Saved and queued, or neither; sent twice, because the first answer was lost, done once.
function steps.add(message, id, start, last, expires)
  requeue_from_dead_workers(nil, true)
  local key = key_of(message)
  if call('EXISTS', key) == 1 then return end
  call('HSET', key, 'id', id, 'start', start, 'end', last, 'expires', expires)
  change(key, 'submitted')
  call('RPUSH', queue, message)
  call('ZADD', index, now, id)
  -- jobs that have expired leave the list of all jobs, a few with each new one
  for _, old in ipairs(call('ZRANGE', index, 0, 1)) do
    if call('EXISTS', job_prefix .. old) == 0 then call('ZREM', index, old) end
  end
end

function steps.job(id)
  requeue_from_dead_workers(nil, true)
  return call('HMGET', job_prefix .. id, 'id', 'status', 'start', 'end')
end

-- Returns the old status, or nothing for an unknown job; then 1 if the change may be made.
function steps.update(id, status)
  requeue_from_dead_workers(nil, true)
  local key = job_prefix .. id
  local old = call('HGET', key, 'status')
  if not old then return end
  if old == status then return {old, 1} end
  if not CHANGES[old][status] then return {old, 0} end
  change(key, status)
  return {old, 1}
end
