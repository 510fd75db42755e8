-- The hooks and steps that a queue of jobs adds to queues.lua: a job's status changes in the same
-- atomic step in which its id moves. A job is a hash:
--
--   job.3f2c…   id, status, start, end; worker, result, plot, error; expires (seconds);
--               history: "1764000000.000000 submitted\n1764000001.500000 in progress\n"
--   jobs        all ids, sorted by the time of submission

local job_prefix, index = KEYS[2], KEYS[3]
local FIELDS = {'id', 'start', 'end', 'status', 'worker', 'history', 'expires'}
local PERMITTED = {  -- status: the statuses that may follow it
  submitted = {['in progress'] = true},
  ['in progress'] = {complete = true, failed = true},
  complete = {},
  failed = {},
}

local function key_of(message)
  local is_json, id = pcall(cjson.decode, message)
  return job_prefix .. (is_json and type(id) == 'string' and id or '')
end

-- Returns the job of this message as a table, with its key; its status is nil if there is none.
local function read(message)
  local job = {key = key_of(message)}
  local values = call('HMGET', job.key, unpack(FIELDS))
  for i, field in ipairs(FIELDS) do job[field] = values[i] or nil end
  return job
end

-- Sets the status and further fields of a job in one call. arguments: field, value, ...
local function set_status(job, status, ...)
  local history = (job.history or '') .. string.format('%.6f %s\n', now, status)
  call('HSET', job.key, 'status', status, 'history', history, ...)
  if not next(PERMITTED[status]) then call('EXPIRE', job.key, job.expires) end  -- it has ended
end

local function is_in_progress_at(job, worker)
  return job.status == 'in progress' and job.worker == worker
end

-- Idempotent: an id may be on the queue twice, but its job is done once.
function hooks.claim(message, worker)
  local job = read(message)
  local holder = job.worker
  if not job.status then return 'there is no such job' end
  if job.status == 'complete' or job.status == 'failed' then return '' end
  if holder and holder ~= worker and call('LPOS', held_by(holder), message) then return '' end
  if job.status == 'submitted' then
    set_status(job, 'in progress', 'worker', worker)
  elseif holder ~= worker then
    call('HSET', job.key, 'worker', worker)
  end
  return nil, {job.id, 'in progress', job.start, job['end']}
end

function hooks.acknowledge(message, worker, outcome, value, extra)
  local job = read(message)
  if not is_in_progress_at(job, worker) then return end
  if outcome == 'failed' then
    set_status(job, 'failed', 'error', value)
  elseif value == '' then
    set_status(job, 'complete')
  else
    set_status(job, 'complete', 'result', value, 'plot', extra)
  end
end

function hooks.requeue(message, worker)
  local job = read(message)
  if is_in_progress_at(job, worker) then set_status(job, 'submitted') end
end

function hooks.dead_letter(message, reason)
  local job = read(message)
  if job.status == 'in progress' then set_status(job, 'failed', 'error', reason) end
end

-- Saves and queues the job, or does neither. Idempotent: a client that lost the reply may send it
-- again.
function steps.add(message, id, start, last, expires)
  requeue_from_dead_workers(nil, true)
  local job = {key = key_of(message)}
  if call('EXISTS', job.key) == 1 then return end
  set_status(job, 'submitted', 'id', id, 'start', start, 'end', last, 'expires', expires)
  call('RPUSH', queue, message)
  call('ZADD', index, now, id)
  -- remove expired jobs from the index: the two oldest jobs are checked with each new one
  for _, old in ipairs(call('ZRANGE', index, 0, 1)) do
    if call('EXISTS', job_prefix .. old) == 0 then call('ZREM', index, old) end
  end
end

-- Returns {the old status, 1 if the change is permitted, else 0}, or nothing for an unknown job.
function steps.update(id, status)
  requeue_from_dead_workers(nil, true)
  local job = read(cjson.encode(id))
  if not job.status then return end
  if job.status == status then return {status, 1} end
  if not PERMITTED[job.status][status] then return {job.status, 0} end
  set_status(job, status)
  return {job.status, 1}
end
