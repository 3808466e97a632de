;;; aqua-mode.el --- Aqua and AIR, with the language server  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: languages

;;; Commentary:

;; Put this file on the `load-path' and write into the init file:
;;
;;     (require 'aqua-mode)
;;     (add-hook 'aqua-mode-hook #'eglot-ensure)
;;     (add-hook 'air-mode-hook #'eglot-ensure)
;;
;; `aqua-run', `aqua-show-air' and `aqua-show-graph' are about the function around point.  Settings of the server stand in
;; `eglot-workspace-configuration', under `:aqua'.

;;; Code:

(require 'eglot)

(defgroup aqua nil
  "Programs that run across peers."
  :group 'languages)

(defcustom aqua-server-command '("aqua-lsp")
  "The language server with its arguments."
  :type '(repeat string))

(defcustom aqua-compiler "aquac"
  "The compiler, which draws the graphs."
  :type 'string)

(defcustom aqua-runner "avm"
  "The command that runs functions."
  :type 'string)

(defcustom aqua-indent-offset 4
  "Columns of a level."
  :type 'integer
  :safe #'integerp)

;; Words count only where something that can follow stands behind them, as no word is reserved.
(defconst aqua--font-lock
  `((,(rx bol (* blank) (group (or "aqua" "module" "import" "use" "export")) (+ blank)) 1 font-lock-keyword-face)
    (,(rx bol (group "func") (+ blank) (group (+ (any alnum ?_))))
     (1 font-lock-keyword-face) (2 font-lock-function-name-face))
    (,(rx bol (group (or "data" "service" "ability" "alias" "const")) (+ blank) (group (+ (any alnum ?_))))
     (1 font-lock-keyword-face) (2 font-lock-type-face))
    (,(rx (any alnum ?_ ?\" ?\) ?\] ?! ?* ?%) (+ blank) (group (or "declares" "as" "from" "via")) (+ blank))
     1 font-lock-keyword-face)
    (,(rx bol (+ blank) (group (or "par" "co")) (+ blank) (group (or "on" "for" "join")) (+ blank))
     (1 font-lock-keyword-face) (2 font-lock-keyword-face))
    (,(rx bol (+ blank) (group (or "on" "if" "join" "par" "co")) (+ blank) (not (any ?= ?, ?< ?: ?\n blank)))
     1 font-lock-keyword-face)
    (,(rx bol (+ blank) (group (or "for" "parseq" "catch")) (+ blank) (any alpha)) 1 font-lock-keyword-face)
    (,(rx bol (+ blank) (group (or "else" "try" "otherwise")) (* blank) ":") 1 font-lock-keyword-face)
    (,(rx blank (group (or "par" "try" "rec")) (* blank) ":" (* blank) (or eol "--")) 1 font-lock-keyword-face)
    (,(rx "=" (* blank) (group "func") (* blank) (any ?\( ?{)) 1 font-lock-keyword-face)
    (,(rx symbol-start (or "true" "false" "nil") symbol-end) . font-lock-constant-face)
    (,(rx "%init_peer_id%") . font-lock-constant-face)
    (,(rx symbol-start
          (or "u8" "u16" "u32" "u64" "i8" "i16" "i32" "i64" "f32" "f64" "bool" "string")
          symbol-end)
     . font-lock-type-face)
    (,(rx symbol-start (group upper (+ (any upper digit ?_))) symbol-end) 1 font-lock-constant-face)
    (,(rx symbol-start (group upper (* (any alnum ?_))) symbol-end) 1 font-lock-type-face)
    (,(rx symbol-start (group lower (* (any alnum ?_))) (* blank) (any ?\( ?{)) 1 font-lock-function-name-face)))

(defvar aqua-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?- ". 12" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?\\ "." table)
    (modify-syntax-entry ?\" "\"" table)
    table))

(defun aqua-indent-line ()
  "Indent as the line before, and deeper behind one that opens a block.
Again: one level less."
  (interactive)
  (let* ((before (save-excursion
                   (beginning-of-line)
                   (skip-chars-backward " \t\n")
                   (back-to-indentation)
                   (current-indentation)))
         (opens (save-excursion
                  (beginning-of-line)
                  (skip-chars-backward " \t\n")
                  (beginning-of-line)
                  (looking-at-p (rx (* (not (any ?\n))) ":" (* blank) (? "--" (* nonl)) eol))))
         (branch (save-excursion
                   (back-to-indentation)
                   (looking-at-p (rx (or "else" "otherwise" "catch") (or blank ":")))))
         (most (+ before (if opens aqua-indent-offset 0) (if (and branch (not opens)) (- aqua-indent-offset) 0)))
         (now (current-indentation))
         (less (- now aqua-indent-offset)))
    (save-excursion
      (indent-line-to
       (max 0 (if (and (eq last-command this-command) (eq this-command 'indent-for-tab-command))
                  (if (< less 0) most less)
                most))))
    (when (< (current-column) (current-indentation))
      (back-to-indentation))))

;;;###autoload
(define-derived-mode aqua-mode prog-mode "Aqua"
  "Aqua programs."
  (setq-local comment-start "-- "
              comment-end ""
              comment-start-skip "--+[ \t]*"
              indent-tabs-mode nil
              tab-width aqua-indent-offset
              indent-line-function #'aqua-indent-line
              electric-indent-inhibit t
              font-lock-defaults '(aqua--font-lock)))

(defconst aqua--air-font-lock
  `((,(rx "(" (* blank)
          (group (or "ap" "call" "canon" "fail" "fold" "match" "mismatch" "never" "new" "next" "null" "par" "seq" "xor"))
          symbol-end)
     1 font-lock-keyword-face)
    (,(rx (or "%init_peer_id%" "%timestamp%" "%ttl%" "%last_error%" ":error:")) . font-lock-constant-face)
    (,(rx (or "$" "#%" "#" "%") (+ (any alnum ?_ ?- ?:))) . font-lock-variable-name-face)))

(defvar air-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?\; "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?- "_" table)
    (modify-syntax-entry ?\\ "." table)
    table))

;;;###autoload
(define-derived-mode air-mode prog-mode "AIR"
  "Scripts of AquaVM."
  (setq-local comment-start "; "
              comment-end ""
              comment-start-skip ";+[ \t]*"
              indent-tabs-mode nil
              font-lock-defaults '(aqua--air-font-lock)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.aqua\\'" . aqua-mode))
;;;###autoload
(add-to-list 'auto-mode-alist '("\\.air\\'" . air-mode))

(add-to-list 'eglot-server-programs
             `((aqua-mode air-mode) . ,(lambda (&rest _) aqua-server-command)))

;;; Commands

(defun aqua--function ()
  "Name of the function around point."
  (save-excursion
    (end-of-line)
    (if (re-search-backward (rx bol "func" (+ blank) (group (+ (any alnum ?_)))) nil t)
        (match-string-no-properties 1)
      (user-error "There is no function around point"))))

(defun aqua--uri ()
  "Address of the file, as the server knows it."
  (plist-get (eglot--TextDocumentIdentifier) :uri))

(defun aqua--show (name mode text)
  "Show TEXT in a buffer NAME with MODE, beside the program."
  (with-current-buffer (get-buffer-create name)
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert text)
      (goto-char (point-min)))
    (funcall mode)
    (setq buffer-read-only t)
    (display-buffer (current-buffer))))

(defun aqua-show-air (function)
  "Show the script of the exported FUNCTION."
  (interactive (list (aqua--function)))
  (let ((script (jsonrpc-request (eglot--current-server-or-lose) :workspace/executeCommand
                                 `(:command "aqua.showAir" :arguments ,(vector (aqua--uri) function)))))
    (unless (stringp script)
      (user-error "`%s' has no AIR: the program has errors, or does not export it" function))
    (aqua--show (format "*%s.air*" function) #'air-mode script)))

(defun aqua-run (function arguments)
  "Run the exported FUNCTION with ARGUMENTS, which are written as in Aqua."
  (interactive (let ((function (aqua--function)))
                 (list function (read-string (format "%s(…), arguments as in Aqua: " function)))))
  (save-buffer)
  (compile (mapconcat #'shell-quote-argument
                      (list aqua-runner "run" buffer-file-name "-f" (format "%s(%s)" function arguments))
                      " ")))

(defun aqua-show-graph (function)
  "Show what the exported FUNCTION does on which peer."
  (interactive (list (aqua--function)))
  (save-buffer)
  (let ((file buffer-file-name)
        (format (if (image-type-available-p 'svg) "svg" "mermaid")))
    (with-temp-buffer
      (unless (zerop (call-process aqua-compiler nil t nil "graph" file "-f" function "--format" format))
        (user-error "%s" (buffer-string)))
      (aqua--show (format "*graph of %s*" function)
                  (if (equal format "svg") #'image-mode #'text-mode)
                  (buffer-string)))))

(provide 'aqua-mode)
;;; aqua-mode.el ends here
