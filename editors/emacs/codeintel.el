;;; codeintel.el --- Search by meaning, blame and history  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))
;; Keywords: tools, vc
;; Version: 0.1.0
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; `codeintel-search' finds code by what it does, `codeintel-similar' code like the region,
;; `codeintel-history' the commits of a file or of the region, and `codeintel-blame-mode' shows
;; the commit of the current line at its end.
;;
;; Eglot has one server for a buffer, and that is usually another one.  So where eglot's server is
;; not codeintel-ls, a connection of our own is made, one for each project, beside it.  Unsaved
;; text counts: it is sent before a question about it.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'project)
(require 'subr-x)
(require 'url-util)
(require 'xref)

(declare-function eglot-current-server "ext:eglot")

(defgroup codeintel nil
  "Search by meaning, blame and history."
  :group 'tools)

(defcustom codeintel-command '("codeintel-ls" "connect")
  "How the server is started."
  :type '(repeat string))

(defcustom codeintel-limit 50
  "The most results of one question."
  :type 'natnum)

(defcustom codeintel-blame-format "%a, %d · %s"
  "What `codeintel-blame-mode' shows: %a author, %d date, %s summary, %i id."
  :type 'string)

(defcustom codeintel-blame-delay 0.1
  "Seconds of rest before the commit of the current line is asked for."
  :type 'number)

(defface codeintel-blame '((t :inherit shadow :slant italic))
  "The commit at the end of the current line.")

;;;; The connection

(defclass codeintel--connection (jsonrpc-process-connection)
  ((ready :initform nil :accessor codeintel--ready)
   (documents :initform (make-hash-table :test #'equal) :accessor codeintel--documents))
  "A session with the server, of one project.")

(defvar codeintel--connections (make-hash-table :test #'equal)
  "Connections by the project's root.")

(defun codeintel--root ()
  "The root of the current project, or an error."
  (let ((project (project-current)))
    (unless project (user-error "This is in no project"))
    (expand-file-name (if (fboundp 'project-root)
                          (project-root project)
                        (car (with-no-warnings (project-roots project)))))))

(defun codeintel--encoded (path)
  "PATH with its parts percent-encoded."
  (mapconcat #'url-hexify-string (split-string path "/") "/"))

(defun codeintel--uri (path)
  "The address of the file at PATH."
  (concat "file://" (codeintel--encoded (expand-file-name path))))

(defun codeintel--path (uri)
  "The path of the file at URI."
  (decode-coding-string (url-unhex-string (string-remove-prefix "file://" uri)) 'utf-8))

(defun codeintel--dispatch (_connection method params)
  "Answer the server's request METHOD with PARAMS."
  (pcase method
    ('workspace/configuration
     (apply #'vector (mapcar (lambda (_) nil) (plist-get params :items))))
    (_ nil)))

(defun codeintel--start (root)
  "A new session for ROOT."
  (let* ((default-directory root)
         (connection
          (codeintel--connection
           :name (format "codeintel (%s)" (file-name-nondirectory (directory-file-name root)))
           :events-buffer-scrollback-size 0
           :process (lambda ()
                      (make-process :name "codeintel" :command codeintel-command
                                    :coding 'utf-8-emacs-unix :connection-type 'pipe
                                    :noquery t
                                    :stderr (get-buffer-create " *codeintel stderr*")))
           :notification-dispatcher #'ignore
           :request-dispatcher #'codeintel--dispatch
           :on-shutdown (lambda (_) (remhash root codeintel--connections)))))
    (jsonrpc-request
     connection 'initialize
     (list :processId (emacs-pid)
           :capabilities '(:general (:positionEncodings ["utf-32"])
                           :workspace (:configuration :json-false))
           :workspaceFolders (vector (list :uri (codeintel--uri (directory-file-name root))
                                           :name (file-name-nondirectory
                                                  (directory-file-name root)))))
     :timeout 60)
    (jsonrpc-notify connection 'initialized (make-hash-table))
    (setf (codeintel--ready connection) t)
    connection))

(defun codeintel--eglot ()
  "Eglot's server of this buffer, where it is codeintel-ls."
  (let ((server (and (featurep 'eglot) (eglot-current-server))))
    (and server
         (cl-some (lambda (word) (string-match-p "codeintel" word))
                  (process-command (jsonrpc--process server)))
         server)))

(defun codeintel--server ()
  "The session of the current project, started if need be."
  (or (codeintel--eglot)
      (let* ((root (codeintel--root))
             (known (gethash root codeintel--connections)))
        (if (and known (jsonrpc-running-p known))
            known
          (puthash root (codeintel--start root) codeintel--connections)))))

(defun codeintel--tell-text (server)
  "Have SERVER know the text of the current buffer, if it is one of our own."
  (when (and (codeintel--connection-p server) buffer-file-name)
    (let* ((uri (codeintel--uri buffer-file-name))
           (tick (buffer-chars-modified-tick))
           (told (gethash uri (codeintel--documents server)))
           (text (save-restriction
                   (widen)
                   (buffer-substring-no-properties (point-min) (point-max)))))
      (cond
       ((null told)
        (jsonrpc-notify server 'textDocument/didOpen
                        (list :textDocument
                              (list :uri uri :languageId "plaintext" :version tick :text text))))
       ((/= told tick)
        (jsonrpc-notify server 'textDocument/didChange
                        (list :textDocument (list :uri uri :version tick)
                              :contentChanges (vector (list :text text))))))
      (puthash uri tick (codeintel--documents server)))))

(defun codeintel--ask (operation &rest params)
  "The answer of the current project's server to OPERATION with PARAMS."
  (let ((server (codeintel--server)))
    (codeintel--tell-text server)
    (condition-case failure
        (jsonrpc-request server (intern (format "codeintel/%s" operation)) params :timeout 60)
      (jsonrpc-error (user-error "%s" (or (alist-get 'jsonrpc-error-message (cdr failure))
                                          failure))))))

(defun codeintel--lines (beginning end)
  "The range of the whole lines from BEGINNING to END."
  (save-excursion
    (let* ((last (progn (goto-char end)
                        (when (and (bolp) (> end beginning)) (forward-char -1))
                        (line-number-at-pos nil t)))
           (width (- (line-end-position) (line-beginning-position)))
           (first (progn (goto-char beginning) (line-number-at-pos nil t))))
      (list :start (list :line (1- first) :character 0)
            :end (list :line (1- last) :character width)))))

;;;; Search

(defun codeintel--xref (hit)
  "What xref shows of HIT."
  (let* ((line (1+ (plist-get (plist-get (plist-get hit :range) :start) :line)))
         (text (string-trim (or (plist-get hit :snippet) ""))))
    (xref-make (or (plist-get hit :symbol) (car (split-string text "\n")) "")
               (xref-make-file-location (codeintel--path (plist-get hit :uri)) line 0))))

(defun codeintel--show (answer)
  "Show the hits of ANSWER as xref shows references."
  (let ((items (mapcar #'codeintel--xref (plist-get answer :hits))))
    (unless items (user-error "Nothing found"))
    (xref-show-xrefs (lambda () items) nil)))

;;;###autoload
(defun codeintel-search (query)
  "Show where the code is that does QUERY, in the words of whoever asks."
  (interactive (list (read-string "Search by meaning: ")))
  (codeintel--show (codeintel--ask 'semanticSearch :query query :limit codeintel-limit)))

;;;###autoload
(defun codeintel-similar (beginning end)
  "Show code like the region from BEGINNING to END, or like the paragraph at point."
  (interactive (if (use-region-p)
                   (list (region-beginning) (region-end))
                 (let ((place (bounds-of-thing-at-point 'paragraph)))
                   (list (car place) (cdr place)))))
  (codeintel--show (codeintel--ask 'findSimilar
                                   :uri (codeintel--uri buffer-file-name)
                                   :range (codeintel--lines beginning end)
                                   :limit codeintel-limit)))

;;;###autoload
(defun codeintel-jump (query)
  "Choose among the places that do QUERY with `completing-read', and go there."
  (interactive (list (read-string "Search by meaning: ")))
  (let* ((hits (plist-get (codeintel--ask 'semanticSearch :query query :limit codeintel-limit)
                          :hits))
         (places (mapcar (lambda (hit)
                           (cons (format "%s:%d  %s" (plist-get hit :path)
                                         (1+ (plist-get (plist-get (plist-get hit :range) :start)
                                                        :line))
                                         (or (plist-get hit :symbol) ""))
                                 hit))
                         hits))
         (chosen (cdr (assoc (codeintel--choose "Place: " places) places))))
    (when chosen
      (xref-push-marker-stack)
      (find-file (codeintel--path (plist-get chosen :uri)))
      (goto-char (point-min))
      (forward-line (plist-get (plist-get (plist-get chosen :range) :start) :line)))))

(defun codeintel--choose (prompt candidates)
  "Ask with PROMPT for one of CANDIDATES, kept in their order."
  (unless candidates (user-error "Nothing found"))
  (completing-read prompt
                   (lambda (string predicate action)
                     (if (eq action 'metadata)
                         '(metadata (display-sort-function . identity)
                                    (cycle-sort-function . identity))
                       (complete-with-action action candidates string predicate)))
                   nil t))

;;;; History

(defun codeintel--commit-line (commit)
  "COMMIT in a line."
  (let ((author (plist-get commit :author)))
    (format "%s %s %s  %s" (substring (plist-get commit :shortId) 0 8)
            (format-time-string "%Y-%m-%d" (plist-get author :time))
            (plist-get author :name) (plist-get commit :summary))))

(defun codeintel-show-commit (root commit path)
  "Show what COMMIT, a plist, did to PATH in the project at ROOT."
  (let* ((query (json-serialize (list :commit (plist-get commit :id)
                                      :folder (codeintel--uri (directory-file-name root))
                                      :diff t)))
         (uri (format "codeintel-git:/%s?%s"
                      (codeintel--encoded path)
                      (url-hexify-string query)))
         (text (plist-get (jsonrpc-request (codeintel--server) 'workspace/textDocumentContent
                                           (list :uri uri) :timeout 60)
                          :text))
         (author (plist-get commit :author)))
    (pop-to-buffer (format "*commit %s*" (substring (plist-get commit :shortId) 0 8)))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (format "commit %s\nAuthor: %s <%s>\nDate:   %s\n\n"
                      (plist-get commit :id) (plist-get author :name)
                      (plist-get author :email)
                      (format-time-string "%F %R %z" (plist-get author :time)
                                          (* 60 (plist-get author :offset))))
              (string-trim (plist-get commit :message)) "\n\n" text))
    (goto-char (point-min))
    (setq default-directory root)
    (diff-mode)
    (setq buffer-read-only t)))

;;;###autoload
(defun codeintel-history (&optional beginning end)
  "Choose among the commits of this file, and see what it did.
With a region from BEGINNING to END, those of its lines."
  (interactive (and (use-region-p) (list (region-beginning) (region-end))))
  (unless buffer-file-name (user-error "This buffer has no file"))
  (let* ((root (codeintel--root))
         (params (list :uri (codeintel--uri buffer-file-name) :limit 200))
         (answer (apply #'codeintel--ask 'fileHistory
                        (if beginning
                            (append params (list :range (codeintel--lines beginning end)))
                          params)))
         (entries (mapcar (lambda (entry) (cons (codeintel--commit-line entry) entry))
                          (plist-get answer :entries)))
         (chosen (cdr (assoc (codeintel--choose "Commit: " entries) entries))))
    (when chosen
      (codeintel-show-commit root chosen (plist-get chosen :path)))))

;;;; Blame of the current line

(defvar codeintel-blame-mode)
(defvar-local codeintel--overlay nil)
(defvar-local codeintel--timer nil)

(defun codeintel--blame-text (commit)
  "COMMIT in the words of `codeintel-blame-format'."
  (let ((author (plist-get commit :author)))
    (format-spec codeintel-blame-format
                 `((?a . ,(plist-get author :name))
                   (?d . ,(format-time-string "%Y-%m-%d" (plist-get author :time)))
                   (?s . ,(plist-get commit :summary))
                   (?i . ,(plist-get commit :shortId))))))

(defun codeintel--erase ()
  "Show no commit."
  (when codeintel--overlay
    (delete-overlay codeintel--overlay)
    (setq codeintel--overlay nil)))

(defun codeintel--draw (answer)
  "Show the commit of ANSWER at the end of the current line."
  (let* ((hunk (and (> (length (plist-get answer :hunks)) 0)
                    (aref (plist-get answer :hunks) 0)))
         (id (plist-get hunk :commit))
         (text (if (and id (not (eq id :json-null)))
                   (codeintel--blame-text
                    (plist-get (plist-get answer :commits) (intern (concat ":" id))))
                 "Not committed yet"))
         (end (line-end-position)))
    (codeintel--erase)
    (setq codeintel--overlay (make-overlay end end))
    (overlay-put codeintel--overlay 'after-string
                 (propertize (concat "    " text) 'face 'codeintel-blame 'cursor t))))

(defun codeintel--blame (buffer)
  "Ask for the commit of the current line of BUFFER, and draw it when it comes."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when (and codeintel-blame-mode (eq buffer (window-buffer)))
        (let ((server (codeintel--server))
              (line (1- (line-number-at-pos nil t)))
              (tick (buffer-chars-modified-tick)))
          (codeintel--tell-text server)
          (jsonrpc-async-request
           server 'codeintel/blameRange
           (list :uri (codeintel--uri buffer-file-name) :startLine line :endLine line)
           :success-fn
           (lambda (answer)
             (when (buffer-live-p buffer)
               (with-current-buffer buffer
                 (when (and codeintel-blame-mode
                            (= tick (buffer-chars-modified-tick))
                            (= line (1- (line-number-at-pos nil t))))
                   (codeintel--draw answer)))))
           :error-fn #'ignore))))))

(defun codeintel--moved ()
  "The cursor or the text moved: the commit shown is of another line."
  (when (and codeintel--overlay
             (/= (overlay-start codeintel--overlay) (line-end-position)))
    (codeintel--erase))
  (when codeintel--timer (cancel-timer codeintel--timer))
  (setq codeintel--timer
        (run-with-idle-timer codeintel-blame-delay nil #'codeintel--blame (current-buffer))))

;;;###autoload
(define-minor-mode codeintel-blame-mode
  "Show the commit of the current line at its end."
  :lighter nil
  (if (and codeintel-blame-mode buffer-file-name)
      (progn
        (add-hook 'post-command-hook #'codeintel--moved nil t)
        (codeintel--moved))
    (remove-hook 'post-command-hook #'codeintel--moved t)
    (when codeintel--timer (cancel-timer codeintel--timer))
    (codeintel--erase)))

(provide 'codeintel)
;;; codeintel.el ends here
