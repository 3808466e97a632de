;;; emacs.el --- What a person does in Emacs  -*- lexical-binding: t; -*-
;; emacs --batch -L …/emacs -l emacs.el; writes what happened as JSON into $AQUA_RESULT.

(require 'json)
(require 'aqua-mode)

(defconst limit 60 "Longest wait, in seconds.")
(defvar seen nil)

(defun wait (what test)
  "Wait until TEST holds, for WHAT."
  (let ((until (time-add nil limit)))
    (while (not (funcall test))
      (when (time-less-p until nil) (error "%s did not come:\n%s" what (buffer-string)))
      (accept-process-output nil 0.05)
      (when (eglot-current-server) (eglot--signal-textDocument/didChange)))))

(defun note (key value) (push (cons key value) seen))

(defun faces-of (text)
  "Face of the first TEXT in the buffer."
  (save-excursion
    (goto-char (point-min))
    (search-forward text)
    (symbol-name (get-text-property (match-beginning 0) 'face))))

(setq eglot-sync-connect 30 eglot-autoshutdown nil confirm-kill-processes nil)

(condition-case problem
    (progn
      (find-file (getenv "AQUA_FILE"))
      (note 'version emacs-version)
      (note 'mode (symbol-name major-mode))
      (font-lock-ensure)
      (note 'faces (vector (faces-of "func greet") (faces-of "on HOST") (faces-of "-- Greets") (faces-of "HOST_PEER_ID")))
      (apply #'eglot (eglot--guess-contact))
      (flymake-mode 1)
      (wait "a diagnostic" (lambda () (flymake-start) (flymake-diagnostics)))
      (note 'message (flymake-diagnostic-text (car (flymake-diagnostics))))
      (goto-char (point-min))
      (search-forward "helo")
      (insert "") (delete-region (match-beginning 0) (match-end 0)) (insert "hello")
      (wait "the end of the diagnostic" (lambda () (flymake-start) (not (flymake-diagnostics))))
      (goto-char (point-min))
      (search-forward "Op.")
      (let ((found (eglot-completion-at-point)))
        (note 'labels (vconcat (mapcar #'substring-no-properties (all-completions "" (nth 2 found))))))
      (eglot-format-buffer)
      (note 'text (buffer-string))
      (let ((program (current-buffer)))
        (goto-char (point-min))
        (search-forward "HOST")
        (aqua-show-air (aqua--function))
        (with-current-buffer "*greet.air*" (note 'air (buffer-string)))
        (set-buffer program)
        (aqua-run (aqua--function) "\"Aqua\"")
        (with-current-buffer "*compilation*"
          (let ((run (get-buffer-process (current-buffer))))
            (wait "the end of the run" (lambda () (not (process-live-p run)))))
          (note 'run (buffer-string)))
        (set-buffer program)
        (aqua-show-graph (aqua--function))
        (with-current-buffer "*graph of greet*" (note 'graph (buffer-string))))
      ;; indentation
      (with-temp-buffer
        (aqua-mode)
        (insert "func f():\n-- c\non p:\nx()\nelse:")
        (goto-char (point-min))
        (while (zerop (forward-line)) (indent-according-to-mode))
        (note 'indented (buffer-string))))
  (error (note 'problem (error-message-string problem))))

(with-temp-file (getenv "AQUA_RESULT") (insert (json-encode seen)))
(kill-emacs 0)
